"""Watching over a server while an event loop uses it."""

import asyncio
import logging
from collections.abc import Callable
from typing import TypeVar

_log = logging.getLogger(__name__)
_EVERY_SECONDS = 1.0

T = TypeVar("T")


class Keeper:
    """Looks every second whether the server lives and whether its log is too long."""

    def __init__(self, *, revive: Callable[[], object], rotate_log: Callable[[], object]) -> None:
        self._steps = (revive, rotate_log)
        self._closing = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._last_complaint = ""

    def start(self) -> None:
        """Begin to watch."""
        self._task = asyncio.create_task(self._loop(), name="embedded-postgres-keeper")

    async def stop(self) -> None:
        """End the watch; a revival that has begun is finished first."""
        self._closing.set()
        if self._task:
            await uninterrupted_wait(self._task)

    async def _loop(self) -> None:
        while not await self._closed_within(_EVERY_SECONDS):
            for step in self._steps:
                try:
                    await asyncio.to_thread(step)
                except Exception as error:
                    self._complain(str(error))

    def _complain(self, text: str) -> None:
        if text != self._last_complaint:
            _log.error("The embedded database is not well: %s", text)
        self._last_complaint = text

    async def _closed_within(self, seconds: float) -> bool:
        try:
            await asyncio.wait_for(self._closing.wait(), seconds)
        except TimeoutError:
            return False
        return True


async def uninterrupted(call: Callable[[], T], *, undo: Callable[[], object] | None = None) -> T:
    """Run a blocking call in a thread to its end, even when we are cancelled: then `undo` follows."""
    task = asyncio.create_task(asyncio.to_thread(call))
    try:
        await uninterrupted_wait(task)
    except asyncio.CancelledError:
        if undo and not task.exception():
            await uninterrupted(undo)
        raise
    return task.result()


async def uninterrupted_wait(task: "asyncio.Task[T]") -> None:
    """Wait for a task without passing our own cancellation on to it; raises it afterwards."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled:
        raise cancelled
