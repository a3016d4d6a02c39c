"""What people read: every statement runs as the person, and JSON leaves as PostgreSQL made it."""

import re
from dataclasses import replace
from typing import Any, LiteralString
from uuid import UUID

from rushes.adapters.postgres.filters import job_filter, output_patterns, rating, texts
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query as sql
from rushes.domain.keys import is_valid_key
from rushes.domain.principal import Principal
from rushes.ports import JobQuery, Page, StoredFile

COUNT_CAP = 1000
# Counting looks at no more jobs than this; fewer where it has to read each text, or each row.
COUNT_WINDOW = 20_000
ROW_COUNT_WINDOW = 5_000
TEXT_COUNT_WINDOW = 2_000
_JOB_KEY = re.compile(r"workflows/[^/]+/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})/[^/]+")


class PostgresJobReader:
    """The port JobReader. Everything raises Unavailable when the database doesn't answer."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, principal: Principal, query: JobQuery) -> Page:
        """At most `limit` cards, newest first."""
        row = await self._database.fetch_as(
            principal,
            sql("feed_page"),
            {"filter": job_filter(query), "everyone": query.scope == "all", "most": query.limit},
        )
        assert row is not None
        body, last_id, has_more = row
        return Page(body.encode(), last_id, has_more)

    async def counts(self, principal: Principal, query: JobQuery) -> bytes:
        """`{"total": chip, "workflow_type": {value: chip}, "status": {…}}`, a chip being `{"count", "more"}`."""
        looked_at = replace(query, workflow_types=(), statuses=(), kinds=(), rating_min=None, after=None)
        body = await self._body(
            principal,
            sql("feed_counts"),
            filter=job_filter(looked_at),
            types=texts(query.workflow_types),
            statuses=texts(query.statuses),
            outputs=output_patterns(query),
            rating_min=rating(query),
            everyone=query.scope == "all",
            window=_count_window(query),
            cap=COUNT_CAP,
        )
        return body or b"{}"

    async def one(self, principal: Principal, job_id: UUID) -> bytes | None:
        """The card and more; with what only the owner and administrators may know, for those."""
        statement = sql("job_one") if principal.user_id else sql("job_one_anon")
        return await self._body(principal, statement, id=job_id)

    async def graph(self, principal: Principal, job_id: UUID) -> bytes | None:
        """`{"graph", "prompt_id", "attempt"}`, for the owner and administrators."""
        return await self._own(principal, sql("job_graph"), job_id)

    async def attempts(self, principal: Principal, job_id: UUID) -> bytes | None:
        """A JSON array, oldest first, for the owner and administrators."""
        return await self._own(principal, sql("job_attempts"), job_id)

    async def events(self, principal: Principal, job_id: UUID) -> bytes | None:
        """A JSON array of `{"id", "kind", "at", "data"}`, oldest first, for the owner and administrators."""
        return await self._own(principal, sql("job_timeline"), job_id)

    async def file(self, principal: Principal, key: str) -> StoredFile | None:
        """The file behind an object key, if it is a visible job's or an own upload."""
        if not is_valid_key(key):
            return None
        if named := _JOB_KEY.fullmatch(key):
            row = await self._database.fetch_as(
                principal, sql("job_file"), {"key": key, "id": UUID(named[1])}
            )
        elif key.startswith("uploads/") and principal.user_id:
            row = await self._database.fetch_as(principal, sql("upload_file"), {"key": key})
        else:
            return None
        return _stored_file(key, row[0]) if row and isinstance(row[0], dict) else None

    async def _own(self, principal: Principal, statement: LiteralString, job_id: UUID) -> bytes | None:
        if principal.user_id is None:
            return None  # `anon` has no rights on these tables at all
        return await self._body(principal, statement, id=job_id)

    async def _body(self, principal: Principal, statement: LiteralString, **params: Any) -> bytes | None:
        row = await self._database.fetch_as(principal, statement, params)
        return None if row is None else str(row[0]).encode()


def _count_window(query: JobQuery) -> int:
    if query.q:
        return TEXT_COUNT_WINDOW
    return ROW_COUNT_WINDOW if query.kinds or query.rating_min is not None else COUNT_WINDOW


def _stored_file(key: str, told: dict[str, Any]) -> StoredFile:
    """Legacy rows may say anything: what isn't a number is not known."""
    return StoredFile(
        key=key,
        filename=str(told.get("filename") or told.get("name") or key.rsplit("/", 1)[-1]),
        content_type=str(told.get("content_type") or "application/octet-stream"),
        size_bytes=_whole(told.get("size_bytes")),
        sha256=told.get("sha256"),
        width=_whole(told.get("width")),
        height=_whole(told.get("height")),
        duration_seconds=_number(told.get("duration_seconds")),
        fps=_number(told.get("fps")),
        object_key=told.get("object_key") if key.startswith("uploads/") else None,
    )


def _whole(value: Any) -> int | None:
    return int(value) if isinstance(value, int) else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) else None
