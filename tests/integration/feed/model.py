"""The feed's filters once more, naively, in Python."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any

from rushes.domain.principal import Principal
from rushes.ports import JobQuery
from tests.integration.feed.rows import Row


def visible(principal: Principal, row: Row) -> bool:
    own = row.owner.user_id == principal.user_id
    return principal.may_see(row.owner.user_id, row.visibility) and (
        own or principal.is_admin or not row.deleted
    )


def chosen(principal: Principal, query: JobQuery, rows: Iterable[Row]) -> list[Row]:
    """All rows of the list, newest first."""
    found = [row for row in rows if visible(principal, row) and _passes(principal, query, row)]
    return sorted(found, key=lambda row: row.id, reverse=True)


def counted(principal: Principal, query: JobQuery, rows: Iterable[Row]) -> dict[str, Any]:
    """What the chips show, while there is little to count."""
    rows = list(rows)

    def chips(facet: str, value: str) -> dict[str, Any]:
        found = chosen(principal, _without(query, facet), rows)
        counts = Counter(getattr(row, value) for row in found)
        return {name: {"count": count, "more": False} for name, count in counts.items()}

    return {
        "total": {"count": len(chosen(principal, query, rows)), "more": False},
        "workflow_type": chips("workflow_types", "workflow_type"),
        "status": chips("statuses", "status"),
    }


def _without(query: JobQuery, facet: str) -> JobQuery:
    values = {name: getattr(query, name) for name in JobQuery.__slots__}
    return JobQuery(**values | {facet: ()})


def _passes(principal: Principal, query: JobQuery, row: Row) -> bool:
    return all(
        (
            query.scope == "all" or row.owner.user_id == principal.user_id,
            not query.workflow_types or row.workflow_type in query.workflow_types,
            not query.statuses or row.status in query.statuses,
            not query.kinds or _has_kind(row, query.kinds),
            query.tag is None or query.tag in row.tags,
            query.rating_min is None or (row.rating is not None and row.rating >= query.rating_min),
            query.job_id is None or query.job_id in (str(row.id), f"prompt-{row.id}"),
            query.created_after is None or row.created_at >= query.created_after,
            query.created_before is None or row.created_at < query.created_before,
            query.after is None or row.id < query.after,
            row.deleted == query.trash,
            query.q is None or found(query.q, row),
        )
    )


def _has_kind(row: Row, kinds: tuple[str, ...]) -> bool:
    kinds_here = {*row.kinds, *(["text"] if row.texts else [])} if row.status == "completed" else set()
    return bool(kinds_here & set(kinds))


def found(typed: str, row: Row) -> bool:
    """For searches made of plain words: word, -word and "two words"; the last plain word may be a beginning."""
    text = f"{row.title or ''} {row.prompt_text or ''}".lower().split()
    for term in (terms := typed.lower().split("  ")):
        excluded, plain = term.startswith("-"), term.removeprefix("-").strip('"')
        words = plain.split()
        if len(words) == 2:
            hit = words in map(list, pairwise(text))
        elif term is terms[-1] and not excluded and '"' not in term:
            hit = any(word.startswith(plain) for word in text)
        else:
            hit = plain in text
        if hit == excluded:
            return False
    return True
