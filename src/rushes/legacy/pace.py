"""How hard `migrate` works: with all it has while nobody writes, and in small steps while the old app does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rushes.legacy.queries import query
from rushes.ports.legacy import LegacyStatements

GENTLE_ROWS = 200
REST = 1.0  # as long as the step before took
LONGEST_REST = 1.0  # seconds
LOOK_SECONDS = 0.5
CALM_SECONDS = 5.0


class Pace:
    """Steps that the old app should hardly feel: what makes its commits wait is the log that others write meanwhile."""

    def __init__(self, source: LegacyStatements) -> None:
        self._source = source
        self._alone = asyncio.Lock()
        self._looked_at = float("-inf")
        self._noted: int | None = None
        self._stirred_at = float("-inf")

    @property
    def is_gentle(self) -> bool:
        """Whether the old app wrote a moment ago."""
        return time.monotonic() - self._stirred_at < CALM_SECONDS

    def rows(self, most: int) -> int:
        """How many rows to take in the next step."""
        return min(most, GENTLE_ROWS) if self.is_gentle else most

    @asynccontextmanager
    async def step(self) -> AsyncIterator[None]:
        """One step of the work. While the old app writes there is one at a time, and a rest after it."""
        await self._look()
        if not self.is_gentle:
            yield
            return
        async with self._alone:
            began = time.monotonic()
            yield
            await asyncio.sleep(min(LONGEST_REST, REST * (time.monotonic() - began)))

    async def _look(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        noted = int((await self._source.fetch(query("changes_count")))[0][0])
        if self._noted is not None and noted != self._noted:
            self._stirred_at = time.monotonic()
        self._noted = noted
