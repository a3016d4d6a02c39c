"""File I/O off the event loop."""

import asyncio
import contextvars
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


async def off_loop(work: Callable[[], T]) -> T:
    """Run blocking work in a thread. A cancellation is raised only once the thread is through.

    Otherwise a write could go on behind the back of the clean-up that follows a cancellation.
    """
    # not asyncio.to_thread: a task for each of these costs more than the hop itself
    context = contextvars.copy_context()  # what is logged in the thread says whose job it is
    future = asyncio.get_running_loop().run_in_executor(None, context.run, work)
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        await _settle(future)
        raise


async def _settle(future: "asyncio.Future[T]") -> None:
    while not future.done():
        try:
            await asyncio.wait([future])
        except asyncio.CancelledError:
            continue
    if not future.cancelled():
        future.exception()  # seen: its words are of no use to somebody who has left
