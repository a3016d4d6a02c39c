"""What may be a moment old, so that not every request asks for it again."""

import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Briefly(Generic[T]):
    """Remembers what `load` gave for so many seconds."""

    def __init__(self, load: Callable[[], Awaitable[T]], *, seconds: float) -> None:
        self._load = load
        self._seconds = seconds
        self._known: tuple[float, T] | None = None

    async def get(self) -> T:
        """What is known, or loaded now."""
        if self._known is None or time.monotonic() - self._known[0] > self._seconds:
            self._known = (time.monotonic(), await self._load())
        return self._known[1]

    def forget(self) -> None:
        """Load again when it is asked for next."""
        self._known = None
