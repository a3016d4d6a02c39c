"""Progress, told at most twice a second, and never by those who work on the job."""

import asyncio
import json
from contextlib import suppress
from types import TracebackType
from typing import Self

from rushes.domain.errors import Unavailable
from rushes.domain.progress import Progress
from rushes.ports import Claim, DispatchQueue, JobEvents

FIRST_PAUSE, PAUSE = 0.25, 0.5
LAST_SECONDS = 2.0  # how long a write may take that is under way at the end


class ProgressReport:
    """Call it with every progress; the latest one is passed on when it is due. A lost one is no harm.

    A job that is over in a moment tells nothing but its end. After the `async with` block nothing is told any more.
    """

    def __init__(self, *, queue: DispatchQueue, events: JobEvents, claim: Claim) -> None:
        self._queue = queue
        self._events = events
        self._claim = claim
        self._latest: Progress | None = None
        self._told: Progress | None = None
        self._telling: asyncio.Task[None] | None = None
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        if self._telling is not None:
            _, late = await asyncio.wait({self._telling}, timeout=LAST_SECONDS)
            for telling in late:
                telling.cancel()
            await asyncio.gather(*late, return_exceptions=True)

    async def __call__(self, progress: Progress) -> None:
        self._latest = progress
        if self._telling is None and progress != self._told and not self._over.is_set():
            first = self._told is None
            self._telling = asyncio.create_task(self._tell(FIRST_PAUSE if first else 0), name="progress")

    async def _tell(self, pause: float) -> None:
        try:
            await self._rest(pause)
            while not self._over.is_set() and self._latest and self._latest != self._told:
                self._told = self._latest
                if not await self._written(self._told):
                    return
                await self._rest(PAUSE)
        except Unavailable:
            return
        finally:
            self._telling = None

    async def _rest(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._over.wait()

    async def _written(self, progress: Progress) -> bool:
        """Into the row, which the lease guards; only then to the feed, so that nothing comes after the end."""
        told = progress.as_json()
        if not await self._queue.progress(self._claim, told):
            return False
        await self._events.notify("progress", json.dumps({"id": str(self._claim.job_id), **told}))
        return True
