"""A command that works and is stopped turn by turn, so that both sides of a ratio have the same weather."""

import os
import signal
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

SETTLE_SECONDS = 1.5  # after each change; what was under way belongs to neither side

Span = tuple[float, float]


@dataclass(slots=True)
class Turns:
    """Stops and continues processes every `seconds`, for the first `lasting` seconds; 0: never. Monotonic times."""

    seconds: float
    lasting: float
    working: list[Span] = field(default_factory=list)
    stopped: list[Span] = field(default_factory=list)
    _began: float = field(default_factory=time.monotonic)
    _changed: float = field(default_factory=time.monotonic)
    _is_stopped: bool = False

    def look(self, family: Callable[[], Sequence[int]]) -> None:
        """Call it again and again while the processes live."""
        now = time.monotonic()
        over = now - self._began > self.lasting
        if self.seconds and now - self._changed >= self.seconds and (self._is_stopped or not over):
            self._switch(family(), now)

    def end(self, family: Sequence[int]) -> None:
        """Let them go on."""
        if self._is_stopped:
            self._switch(family, time.monotonic())

    def _switch(self, family: Sequence[int], now: float) -> None:
        spans = self.stopped if self._is_stopped else self.working
        spans.append((self._changed + SETTLE_SECONDS, now))
        self._is_stopped, self._changed = not self._is_stopped, now
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP if self._is_stopped else signal.SIGCONT)
