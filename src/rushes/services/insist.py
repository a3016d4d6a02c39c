"""Writes about a job that is held: a database that is away for a moment must not cost its result."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from rushes.domain.errors import Unavailable
from rushes.services.hold import LeaseLost

T = TypeVar("T")

KEEP_TRYING = 60.0
FIRST_PAUSE, LONGEST_PAUSE = 0.2, 5.0


async def insist(write: Callable[[], Awaitable[T]]) -> T:
    """Try until it is written. Raises LeaseLost after a minute: by then somebody else has the job."""
    loop = asyncio.get_running_loop()
    until, pause = loop.time() + KEEP_TRYING, FIRST_PAUSE
    while True:
        try:
            return await write()
        except Unavailable as error:
            if loop.time() > until:
                raise LeaseLost from error
        await asyncio.sleep(pause)
        pause = min(pause * 2, LONGEST_PAUSE)
