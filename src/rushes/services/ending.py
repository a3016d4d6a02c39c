"""How background tasks end."""

import asyncio
from typing import Any

REPEAT_SECONDS = 1.0


async def ended(*tasks: asyncio.Task[Any]) -> None:
    """Cancel tasks and wait until they are over, however they end.

    The cancel is repeated: before Python 3.12 `asyncio.wait_for`, which the connection pool uses, loses one that
    comes together with what it waits for, and a loop would go on for ever.
    """
    running = set(tasks)
    while running:
        for task in running:
            task.cancel()
        _, running = await asyncio.wait(running, timeout=REPEAT_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
