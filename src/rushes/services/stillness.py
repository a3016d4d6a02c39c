"""The watchdog for a server that answers and does nothing: its worker may have died while HTTP goes on."""

import time

from rushes.ports import PromptState

STALL_SECONDS = 1800.0


class StandsStill(Exception):
    """Nothing has moved for too long."""


class Pulse:
    """The last sign of life of one server's worker, from whichever of its prompts it came."""

    def __init__(self) -> None:
        self.beat()

    def beat(self) -> None:
        self._at = time.monotonic()

    @property
    def silent_seconds(self) -> float:
        return time.monotonic() - self._at


class Stillness:
    """Watches one prompt: what runs must say something, what waits must move up or see others run."""

    def __init__(self, *, pulse: Pulse | None = None, stall_seconds: float = STALL_SECONDS) -> None:
        self._pulse = pulse or Pulse()
        self._stall_seconds = stall_seconds
        self._state: tuple[str, int | None] | None = None
        self.stirred()

    def stirred(self) -> None:
        """The prompt has said something."""
        self._stirred_at = time.monotonic()
        self._pulse.beat()

    def seen(self, state: PromptState) -> None:
        """Where it is now. Raises StandsStill."""
        now = state.where, state.position
        if now != self._state:
            self._state = now
            self.stirred()
            return
        silent = time.monotonic() - self._stirred_at
        if state.where == "pending":
            silent = min(silent, self._pulse.silent_seconds)
        if silent > self._stall_seconds:
            raise StandsStill(f"nothing about it has moved for {_in_words(silent)}")


def _in_words(seconds: float) -> str:
    return f"{seconds / 60:.0f} minutes" if seconds >= 120 else f"{seconds:.0f} s"
