"""The feed's filters as the database takes them: the composite type rushes.job_filter."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from rushes.adapters.postgres.search import tsquery
from rushes.ports import JobQuery

# An id's time comes from the process that made it, created_at from the database.
CLOCKS_DIFFER = timedelta(hours=1)
_MILLISECONDS = 2**48


def job_filter(query: JobQuery) -> tuple[Any, ...]:
    """The fields of rushes.job_filter, in order."""
    return (
        texts(query.workflow_types),
        texts(query.statuses),
        output_patterns(query),
        _text(query.tag),
        rating(query),
        _text(query.job_id),
        _uuid(query.job_id),
        tsquery(_text(query.q)),
        query.created_after,
        query.created_before,
        query.created_after and first_id(query.created_after - CLOCKS_DIFFER),
        _before_id(query),
        query.trash,
    )


def output_patterns(query: JobQuery) -> list[str] | None:
    """What `outputs` contains where it has a file, or a text, of one of the kinds."""
    patterns = [json.dumps({"files": [{"kind": _text(kind)}]}) for kind in query.kinds]
    if "text" in query.kinds:
        patterns.append(json.dumps({"texts": [{}]}))
    return patterns or None


def rating(query: JobQuery) -> int | None:
    """The lowest rating, as a smallint."""
    return None if query.rating_min is None else max(-1, min(query.rating_min, 100))


def texts(values: Iterable[str]) -> list[str | None] | None:
    """Several values; None is no filter."""
    return [_text(value) for value in values] or None


def first_id(moment: datetime) -> UUID:
    """The lowest UUIDv7 of that moment; the days before 1970 have none of their own."""
    milliseconds = int(moment.timestamp() * 1000)
    return UUID(int=max(0, min(milliseconds, _MILLISECONDS - 1)) << 80)


def _before_id(query: JobQuery) -> UUID | None:
    bounds = [query.after] if query.after else []
    if query.created_before:
        bounds.append(first_id(query.created_before + CLOCKS_DIFFER))
    return min(bounds, default=None)


def _text(value: str | None) -> str | None:
    """What PostgreSQL can't hold becomes a mark, which no row has."""
    return value and value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def _uuid(value: str | None) -> UUID | None:
    try:
        return UUID(value) if value else None
    except ValueError:
        return None
