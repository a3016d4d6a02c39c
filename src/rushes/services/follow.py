"""Follow a prompt to its end: the queue and the history are the truth, the websocket says when to look."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from rushes.domain.comfy import ComfyUnreachable
from rushes.domain.progress import Progress, ProgressTracker
from rushes.ports import Clock, ComfyEvent, ComfyEvents, ComfyServer, Json, PromptState
from rushes.services.hold import CancelRequested, Hold
from rushes.services.stillness import Stillness

FIRST_POLL, LAST_POLL = 0.25, 2.0
AT_ONCE = 0.01  # the history entry comes up to 20 ms after execution_success
UNREACHABLE_POLL = 0.5  # so that a restarted server's jobs don't wait for a look
UNREACHABLE_GRACE = 20.0
LOOK_SECONDS, SILENT_GRACE = 10.0, 60.0  # a server that is there and doesn't answer may only be busy
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
        stillness: Stillness | None = None,
    ) -> None:
        self._server = server
        self._hold = hold
        self._stream = stream
        self._tracker = tracker
        self._report = report
        self._clock = clock
        self._stillness = stillness or Stillness()
        self._unreachable_since: float | None = None
        self._cancelled_at = 0.0
        self._signal: asyncio.Task[None] | None = None

    async def to_the_end(self, *, just_sent: bool = False) -> Json | None:
        """The history entry; None when a cancelled prompt vanished. What was `just_sent` isn't looked for at once.

        Raises PromptLost, ComfyUnreachable, StandsStill, LeaseLost, DeadlinePassed, Stopping.
        """
        try:
            return await self._follow(just_sent)
        finally:
            if self._signal:
                self._signal.cancel()

    async def _follow(self, just_sent: bool) -> Json | None:
        delay, hurry = FIRST_POLL, False
        if just_sent and self._stream and self._stream.alive:
            hurry = await self._pause(FIRST_POLL)
        while True:
            if await self._heed_signals():
                delay = FIRST_POLL
            state = await self._look(ended=hurry)
            if state and state.where == "finished":
                return state.history
            if state and state.where == "unknown":
                if self._hold.cancel_sent:
                    return None
                raise PromptLost
            if state:
                self._hold.only_waited = state.where == "pending"
                self._stillness.seen(state)
                await self._report(self._tracker.seen(state.where, state.position))
            hurry = await self._pause(delay if state else min(delay, UNREACHABLE_POLL))
            delay = AT_ONCE if hurry else min(max(delay, FIRST_POLL) * 1.5, LAST_POLL)

    async def _heed_signals(self) -> bool:
        """Whether a cancel was sent just now: then its end is near."""
        try:
            self._hold.check(self._clock.now())
        except CancelRequested:
            await self._send_cancel()
            return True
        if self._hold.cancel_sent and time.monotonic() - self._cancelled_at > CANCEL_AGAIN:
            await self._send_cancel()
        return False

    async def _send_cancel(self) -> None:
        self._cancelled_at = time.monotonic()
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                await self._server.cancel(self._hold.claim.prompt_id)
        except (ComfyUnreachable, TimeoutError):
            return  # asked again with the next look
        self._hold.cancel_sent = True

    async def _look(self, *, ended: bool) -> PromptState | None:
        try:
            async with asyncio.timeout(LOOK_SECONDS):
                state = await self._server.find(self._hold.claim.prompt_id, ended=ended)
        except ComfyUnreachable as error:
            self._missed(error, UNREACHABLE_GRACE)
            return None
        except TimeoutError:
            url = self._hold.claim.server_url
            self._missed(ComfyUnreachable(f"{url} took over {LOOK_SECONDS:g} s to answer."), SILENT_GRACE)
            return None
        self._unreachable_since = None
        return state

    def _missed(self, error: ComfyUnreachable, grace: float) -> None:
        now = time.monotonic()
        self._unreachable_since = self._unreachable_since or now
        if now - self._unreachable_since > grace:
            raise error

    async def _pause(self, seconds: float) -> bool:
        """Wait for a signal, an ending or the time; whether to look again at once."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            event = await self._next(left)
            if event is None:
                return False
            if event.prompt_id != self._hold.claim.prompt_id:
                continue
            self._stillness.stirred()
            self._hold.only_waited = False
            if event.type in ENDINGS or (event.type == "executing" and event.data.get("node") is None):
                return True
            progress = self._tracker.feed(event.type, event.data)
            if progress:
                await self._report(progress)
        return False

    async def _next(self, seconds: float) -> ComfyEvent | None:
        """The next websocket message; None at a signal, after the time, or (late) without a socket."""
        if self._stream and (here := self._stream.at_hand()):
            return here
        if self._signal is None or self._signal.done():
            self._signal = asyncio.create_task(self._hold.changed())
        if not (self._stream and self._stream.alive):
            await asyncio.wait({self._signal}, timeout=seconds)
            return None
        message = asyncio.create_task(self._stream.next(seconds))
        try:
            await asyncio.wait({self._signal, message}, return_when=asyncio.FIRST_COMPLETED)
            return message.result() if message.done() else None
        finally:
            message.cancel()
