"""The port JobEvents."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from rushes.domain.errors import InvalidCursor, Unavailable
from rushes.domain.feed_cursor import FeedCursor
from rushes.ports import FeedChange, FeedPage, Signal


class MemoryEvents:
    """`log` is the event log, whose cursors are its positions; `told` is what was notified."""

    def __init__(self) -> None:
        self.log: list[FeedChange] = []
        self.told: list[Signal] = []
        self.away = 0
        self._heard: asyncio.Queue[Signal] = asyncio.Queue()

    def signal(self, kind: str, payload: str = "") -> None:
        """Let the listener hear something."""
        self._heard.put_nowait(Signal(kind=kind, payload=payload))

    async def listen(self, *kinds: str) -> AsyncIterator[Signal]:
        yield Signal(kind="jobs")
        while True:
            signal = await self._heard.get()
            if signal.kind in kinds:
                yield signal

    async def notify(self, kind: str, payload: str = "") -> None:
        self._reach()
        self.told.append(Signal(kind=kind, payload=payload))

    async def head(self) -> FeedCursor:
        self._reach()
        return FeedCursor(len(self.log))

    async def since(self, cursor: FeedCursor, *, limit: int = 500) -> FeedPage:
        self._reach()
        if cursor.next > len(self.log):
            raise InvalidCursor("No such cursor.")
        end = min(cursor.next + limit, len(self.log))
        return FeedPage(changes=self.log[cursor.next : end], cursor=FeedCursor(end), more=end < len(self.log))

    async def whose(self, job_id: UUID) -> tuple[UUID | None, str] | None:
        self._reach()
        found = [change for change in self.log if change.job_id == job_id and not change.deleted]
        return (found[-1].user_id, found[-1].visibility) if found else None

    def _reach(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise Unavailable("The database can't be reached.")
