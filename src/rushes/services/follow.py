"""Follow a prompt to its end: the queue and the history are the truth, the websocket says when to look."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from rushes.domain.comfy import ComfyUnreachable
from rushes.domain.progress import Progress, ProgressTracker
from rushes.ports import Clock, ComfyEvent, ComfyEvents, ComfyServer, Json, PromptState
from rushes.services.hold import CancelRequested, Hold

FIRST_POLL, LAST_POLL = 0.25, 2.0
AT_ONCE = 0.01  # the history entry comes up to 20 ms after execution_success
UNREACHABLE_GRACE = 20.0
CANCEL_AGAIN = 2.0
ENDINGS = frozenset({"execution_success", "execution_error", "execution_interrupted"})

Report = Callable[[Progress], Awaitable[None]]


class PromptLost(Exception):
    """ComfyUI has the prompt neither in its queue nor in its history."""


class Follower:
    """Follows one prompt on one server."""

    def __init__(
        self,
        *,
        server: ComfyServer,
        hold: Hold,
        stream: ComfyEvents | None,
        tracker: ProgressTracker,
        report: Report,
        clock: Clock,
    ) -> None:
        self._server = server
        self._hold = hold
        self._stream = stream
        self._tracker = tracker
        self._report = report
        self._clock = clock
        self._unreachable_since: float | None = None
        self._cancelled_at = 0.0

    async def to_the_end(self) -> Json | None:
        """The history entry; None when a cancelled prompt vanished.

        Raises PromptLost, ComfyUnreachable, LeaseLost, DeadlinePassed, Stopping.
        """
        delay = FIRST_POLL
        while True:
            await self._heed_signals()
            state = await self._look()
            if state and state.where == "finished":
                return state.history
            if state and state.where == "unknown":
                if self._hold.cancel_sent:
                    return None
                raise PromptLost
            if state:
                await self._report(self._tracker.seen(state.where, state.position))
            hurry = await self._pause(delay)
            delay = AT_ONCE if hurry else min(max(delay, FIRST_POLL) * 1.5, LAST_POLL)

    async def _heed_signals(self) -> None:
        try:
            self._hold.check(self._clock.now())
        except CancelRequested:
            await self._send_cancel()
        if self._hold.cancel_sent and time.monotonic() - self._cancelled_at > CANCEL_AGAIN:
            await self._send_cancel()

    async def _send_cancel(self) -> None:
        self._cancelled_at = time.monotonic()
        try:
            await self._server.cancel(self._hold.claim.prompt_id)
        except ComfyUnreachable:
            return  # asked again with the next look
        self._hold.cancel_sent = True

    async def _look(self) -> PromptState | None:
        try:
            state = await self._server.find(self._hold.claim.prompt_id)
        except ComfyUnreachable:
            now = time.monotonic()
            self._unreachable_since = self._unreachable_since or now
            if now - self._unreachable_since > UNREACHABLE_GRACE:
                raise
            return None
        self._unreachable_since = None
        return state

    async def _pause(self, seconds: float) -> bool:
        """Wait for a signal, an ending or the time; whether to look again at once."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            event = await self._next(left)
            if event is None:
                return False
            if event.prompt_id != self._hold.claim.prompt_id:
                continue
            if event.type in ENDINGS or (event.type == "executing" and event.data.get("node") is None):
                return True
            progress = self._tracker.feed(event.type, event.data)
            if progress:
                await self._report(progress)
        return False

    async def _next(self, seconds: float) -> ComfyEvent | None:
        """The next websocket message; None at a signal, after the time, or (late) without a socket."""
        signal = asyncio.ensure_future(self._hold.changed())
        waits: set[asyncio.Future[ComfyEvent | None] | asyncio.Future[None]] = {signal}
        message: asyncio.Future[ComfyEvent | None] | None = None
        if self._stream and self._stream.alive:
            message = asyncio.ensure_future(self._stream.next(seconds))
            waits.add(message)
        try:
            await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
            if message and message.done() and not message.cancelled():
                return message.result()
            return None
        finally:
            for wait in waits:
                wait.cancel()
