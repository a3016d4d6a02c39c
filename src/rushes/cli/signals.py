"""Ctrl-C and SIGTERM: the first one ends a command in order, a second one at once."""

import asyncio
import signal
import sys
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM)
_stopped: ContextVar[asyncio.Event] = ContextVar("stopped")


class Interrupted(Exception):
    """The command was told to stop; everything that it opened is closed again."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_code = 128 + number


async def told_to_stop() -> None:
    """Wait for a signal. One that comes before is cancelled as well, but a cancel can get lost (services/ending)."""
    await _stopped.get().wait()


def run_interruptibly(work: Coroutine[Any, Any, T]) -> T:
    """The outcome of a command's work. Raises Interrupted."""
    with asyncio.Runner(loop_factory=_new_loop) as runner:
        return runner.run(_interruptible(work))


def _new_loop() -> asyncio.AbstractEventLoop:
    """The faster kind, where it runs."""
    if sys.platform == "win32":
        return asyncio.new_event_loop()
    import uvloop  # noqa: PLC0415 - not there on Windows

    return uvloop.new_event_loop()


async def _interruptible(work: Coroutine[Any, Any, T]) -> T:
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    stopped = asyncio.Event()
    caught: list[int] = []
    _stopped.set(stopped)

    def stop(number: int) -> None:
        caught.append(number)
        stopped.set()
        if task:
            task.cancel()
        # The second is the kernel's: a cancel within the closing would leave it half done, job by job.
        for each in SIGNALS:
            loop.remove_signal_handler(each)

    for number in SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        return await work
    except asyncio.CancelledError:
        if caught:
            raise Interrupted(caught[0]) from None
        raise
