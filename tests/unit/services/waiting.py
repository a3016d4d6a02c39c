"""Wait for something to become true."""

import asyncio
from collections.abc import Callable


async def until(true: Callable[[], object], seconds: float = 5.0) -> None:
    async with asyncio.timeout(seconds):
        while not true():  # what is waited for has no event
            await asyncio.sleep(0.002)
