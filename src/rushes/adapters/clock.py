"""The real clock, and UUIDv7 after RFC 9562."""

import secrets
import threading
import time
from datetime import UTC, datetime
from uuid import UUID


class SystemClock:
    """The port Clock. Identifiers of one process strictly increase, within a millisecond too."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._last = 0

    def now(self) -> datetime:
        return datetime.now(UTC)

    def uuid7(self) -> UUID:
        with self._lock:
            # 48 bits of milliseconds and 12 bits of the millisecond's fraction
            ticks = max((time.time_ns() << 12) // 1_000_000, self._last + 1)
            self._last = ticks
        milliseconds, fraction = ticks >> 12, ticks & 0xFFF
        return UUID(
            int=(milliseconds << 80) | (7 << 76) | (fraction << 64) | (2 << 62) | secrets.randbits(62)
        )
