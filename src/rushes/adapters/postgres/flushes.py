"""Waiting until what has been committed is on disk, once for all who wait."""

import asyncio
from collections.abc import Awaitable, Callable


class Flushes:
    """`flush` commits something durably, and with it all that was committed before."""

    def __init__(self, flush: Callable[[], Awaitable[object]]) -> None:
        self._flush = flush
        self._next: asyncio.Future[None] | None = None
        self._worker: asyncio.Task[None] | None = None

    async def wait(self) -> None:
        """Until a flush is over that began after this call. Raises what it raises."""
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        waited_for = self._next
        if self._worker is None:
            self._worker = asyncio.create_task(self._work(), name="flush")
        await asyncio.shield(waited_for)

    async def _work(self) -> None:
        while self._next is not None:
            due, self._next = self._next, None
            try:
                await self._flush()
            except Exception as error:
                due.set_exception(error)
                due.exception()  # it is no fault if nobody waits any more
            else:
                due.set_result(None)
        self._worker = None
