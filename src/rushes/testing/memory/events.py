"""The port JobEvents."""

import asyncio
from collections.abc import AsyncIterator
from uuid import UUID

from rushes.domain.errors import InvalidCursor, Unavailable
from rushes.ports import FeedChange, Signal


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

    async def head(self) -> str:
        self._reach()
        return str(len(self.log))

    async def since(self, cursor: str, *, limit: int = 500) -> list[FeedChange]:
        self._reach()
        if not cursor.isdecimal():
            raise InvalidCursor("No such cursor.")
        return self.log[int(cursor) :][:limit]

    async def whose(self, job_id: UUID) -> tuple[UUID | None, str] | None:
        self._reach()
        found = [change for change in self.log if change.job_id == job_id and not change.deleted]
        return (found[-1].user_id, found[-1].visibility) if found else None

    def _reach(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise Unavailable("The database can't be reached.")
