"""Progress, told at most twice a second to the feed and once a second to the row."""

import json
import time

from rushes.domain.errors import Unavailable
from rushes.domain.progress import Progress
from rushes.ports import Claim, DispatchQueue, JobEvents

FEED_PAUSE, ROW_PAUSE = 0.5, 1.0


class ProgressReport:
    """Call it with every progress; it passes on what is new and due. A lost one is no harm."""

    def __init__(self, *, queue: DispatchQueue, events: JobEvents, claim: Claim) -> None:
        self._queue = queue
        self._events = events
        self._claim = claim
        self._said: Progress | None = None
        self._feed_at = self._row_at = float("-inf")

    async def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        new_stage = self._said is None or self._said.stage != progress.stage
        if progress == self._said or (not new_stage and now - self._feed_at < FEED_PAUSE):
            return
        self._said, self._feed_at = progress, now
        told = progress.as_json()
        try:
            if new_stage or now - self._row_at >= ROW_PAUSE:
                self._row_at = now
                await self._queue.progress(self._claim, told)
            await self._events.notify("progress", json.dumps({"id": str(self._claim.job_id), **told}))
        except Unavailable:
            return
