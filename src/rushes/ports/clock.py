"""Time and identifiers."""

from datetime import datetime
from typing import Protocol
from uuid import UUID


class Clock(Protocol):
    """Wall-clock time and fresh identifiers, so that tests can hold them still."""

    def now(self) -> datetime: ...

    def uuid7(self) -> UUID: ...
