"""The event log as the live feed reads it, and the hints that tell when to look."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from rushes.adapters.postgres.hints import Coalesced, listen
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import InvalidCursor, Unavailable
from rushes.domain.feed_cursor import FeedCursor
from rushes.ports import FeedChange, FeedPage, Signal

log = structlog.get_logger("rushes.events")

PRUNE_BATCH = 10_000
_PAYLOAD_LIMIT = 8000  # bytes, PostgreSQL's


class PostgresJobEvents:
    """The port JobEvents.

    `listen_dsn` is a session connection, never a transaction pooler; None is polling only. Close it after use.
    """

    def __init__(self, database: Database, *, listen_dsn: str | None) -> None:
        self._database = database
        self._listen_dsn = listen_dsn
        self._jobs = Coalesced(lambda: self._send("jobs", ""))

    async def aclose(self) -> None:
        """Send what is still to be sent."""
        await self._jobs.aclose()

    def listen(self, *kinds: str) -> AsyncIterator[Signal]:
        """Hints for ever; `jobs` also comes after each (re)connect and every few seconds."""
        return listen(self._listen_dsn, kinds)

    async def notify(self, kind: str, payload: str = "") -> None:
        """Send a hint, after the commit that it is about. It may be lost: polling stands behind it."""
        if kind == "jobs" and not payload:
            self._jobs.ask()
        elif len(payload.encode("utf-8", "replace")) < _PAYLOAD_LIMIT:
            await self._send(kind, payload)

    async def head(self) -> FeedCursor:
        """The cursor of now."""
        row = await self._database.fetch(query("event_head"))
        assert row is not None
        return FeedCursor.of_snapshot(row[0])

    async def since(self, cursor: FeedCursor, *, limit: int = 500) -> FeedPage:
        """Jobs changed after that cursor, each once, as soon as they are committed. Raises InvalidCursor."""
        rows = await self._database.fetch_all(query("event_since"), {"limit": limit} | _params(cursor))
        is_foreign, is_pruned, snapshot, more = rows[0][:4]
        if is_foreign:
            raise InvalidCursor("This cursor is of another database: reload the page.")
        if is_pruned:
            raise InvalidCursor("This cursor is too old, what came after it is gone: reload the page.")
        end = FeedCursor.of_snapshot(snapshot)
        changes = [_change(row[4:], cursor, end) for row in rows if row[4] is not None]
        return FeedPage(changes=changes, cursor=changes[-1].cursor if more else end, more=more)

    async def whose(self, job_id: UUID) -> tuple[UUID | None, str] | None:
        """Owner and visibility of a job that is not in the trash."""
        row = await self._database.fetch(query("job_whose"), {"id": job_id})
        return None if row is None else (row[0], row[1])

    async def prune(self, before: datetime) -> int:
        """Drop the events of ended jobs from before that moment, a batch at a time; how many."""
        pruned = 0
        while True:
            row = await self._database.fetch(query("event_prune"), {"before": before, "batch": PRUNE_BATCH})
            if not row or not row[0]:
                return pruned
            pruned += int(row[0])

    async def _send(self, kind: str, payload: str) -> None:
        try:
            await self._database.execute(
                query("event_notify"), {"channel": f"rushes_{kind}", "payload": payload}, durable=False
            )
        except Unavailable as error:
            log.info("hint lost", kind=kind, error=error.message)


def _params(cursor: FeedCursor) -> dict[str, Any]:
    return {
        "next": str(cursor.next),
        "open": [str(xid) for xid in cursor.open],
        "read": list(cursor.open.values()),
    }


def _change(row: Any, begin: FeedCursor, end: FeedCursor) -> FeedChange:
    xids, event_id, job_id, user_id, visibility, deleted, was_visibility, card = row
    return FeedChange(
        cursor=begin.until(end, int(xids[0]), event_id),
        xids=tuple(int(xid) for xid in xids),
        job_id=job_id,
        user_id=user_id,
        visibility=visibility,
        deleted=deleted,
        was_visibility=was_visibility,
        card=card.encode() if card else b"",
    )
