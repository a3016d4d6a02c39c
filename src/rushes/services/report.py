"""Progress, told at most twice a second, and never by those who work on the job."""

import asyncio
import json

from rushes.domain.errors import Unavailable
from rushes.domain.progress import Progress
from rushes.ports import Claim, DispatchQueue, JobEvents

FIRST_PAUSE, PAUSE = 0.25, 0.5


class ProgressReport:
    """Call it with every progress; the latest one is passed on when it is due. A lost one is no harm.

    A job that is over in a moment tells nothing but its end.
    """

    def __init__(self, *, queue: DispatchQueue, events: JobEvents, claim: Claim) -> None:
        self._queue = queue
        self._events = events
        self._claim = claim
        self._latest: Progress | None = None
        self._told: Progress | None = None
        self._telling: asyncio.Task[None] | None = None

    async def __call__(self, progress: Progress) -> None:
        self._latest = progress
        if self._telling is None and progress != self._told:
            first = self._told is None
            self._telling = asyncio.create_task(self._tell(FIRST_PAUSE if first else 0), name="progress")

    async def _tell(self, pause: float) -> None:
        try:
            await asyncio.sleep(pause)
            while self._latest and self._latest != self._told:
                self._told = self._latest
                if not await self._written(self._told):
                    return
                await asyncio.sleep(PAUSE)
        except Unavailable:
            return
        finally:
            self._telling = None

    async def _written(self, progress: Progress) -> bool:
        """Into the row, which the lease guards; only then to the feed, so that nothing comes after the end."""
        told = progress.as_json()
        if not await self._queue.progress(self._claim, told):
            return False
        await self._events.notify("progress", json.dumps({"id": str(self._claim.job_id), **told}))
        return True
