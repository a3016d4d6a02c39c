"""How hard `migrate` works: with all it has while nobody writes, and in small steps while the old app does."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rushes.legacy.queries import query
from rushes.ports.legacy import LegacyStatements

GENTLE_ROWS, FEWEST_ROWS = 10, 5
GENTLE_CHANGES, MOST_GENTLE_CHANGES = 25, 200  # a step; more only where fewer wouldn't keep up with the app
REST = 2.0  # times as long as the step
KEEPING_UP = 1.0  # the same, of what must keep up with the app
STEP_BYTES = 64 * 1024  # of log, which a commit of the old app may have to wait for
LOG_BYTES = 16 * 1024**2  # a second
LONGEST_REST = 2.0  # seconds
LOOK_SECONDS = 0.5
FIRST_LOOK_SECONDS = 0.05
CALM_SECONDS = 5.0  # changes_lately.sql says the same


class Pace:
    """Steps that the old app should hardly feel: what makes its commits wait is the log that others write meanwhile.

    With `hurry` it may feel them.
    """

    def __init__(self, source: LegacyStatements, target: LegacyStatements, *, hurry: bool = False) -> None:
        self._source = source
        self._target = target
        self._hurry = hurry
        self._rows = GENTLE_ROWS
        self._alone = asyncio.Lock()
        self._looked_at = float("-inf")
        self._noted: int | None = None
        self._stirred_at = float("-inf")

    @property
    def is_gentle(self) -> bool:
        """Whether the old app wrote a moment ago, and is to be spared."""
        return not self._hurry and time.monotonic() - self._stirred_at < CALM_SECONDS

    async def begin(self) -> None:
        """See whether the old app writes, before the first step; then no other processes help these two sessions."""
        if (await self._source.fetch(query("changes_lately")))[0][0]:
            self._stirred_at = time.monotonic()
        await self._look()
        await asyncio.sleep(FIRST_LOOK_SECONDS)
        self._looked_at = float("-inf")
        await self._look()
        if self.is_gentle:
            for database in (self._source, self._target):
                await database.fetch(query("one_process"))

    async def noted(self) -> int:
        """How many changes have ever been noted."""
        return int((await self._source.fetch(query("changes_count")))[0][0])

    def rows(self, most: int, *, gentle: bool) -> int:
        """How many rows to take in a step."""
        return min(most, self._rows) if gentle else most

    @asynccontextmanager
    async def step(self, *, rest: float | None = None) -> AsyncIterator[bool]:
        """One step of the work, and whether it is to be a gentle one. While the old app writes there is one at a
        time, and a rest after it.

        `rest` is how many times as long as the step; None: REST times, or as its log needs, which also decides how
        many rows the next one takes.
        """
        await self._look()
        if not self.is_gentle:
            yield False
            return
        async with self._alone:
            began, before = time.monotonic(), await self._logged() if rest is None else None
            yield True  # however long that was: a process that was stopped doesn't begin with a large one
            pause = (time.monotonic() - began) * (REST if rest is None else rest)
            if before is not None:
                written = await self._logged() - before
                self._rows = _fitting(self._rows, written)
                pause = max(pause, written / LOG_BYTES)
            await asyncio.sleep(min(LONGEST_REST, pause))

    async def _logged(self) -> int:
        return int((await self._target.fetch(query("log_written")))[0][0])

    async def _look(self) -> None:
        if time.monotonic() - self._looked_at < LOOK_SECONDS:
            return
        self._looked_at = time.monotonic()
        noted = await self.noted()
        if self._noted is not None and noted != self._noted:
            self._stirred_at = time.monotonic()
        self._noted = noted


def _fitting(rows: int, written: int) -> int:
    """So many rows that the next step writes about STEP_BYTES: after a checkpoint a row may write a hundred times as
    much as before it, for whole pages go to the log."""
    fitting = rows * STEP_BYTES // max(written, 1)
    return max(FEWEST_ROWS, min(GENTLE_ROWS, 2 * rows, fitting))
