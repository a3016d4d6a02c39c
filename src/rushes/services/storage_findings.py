"""What a comparison of rows and objects finds."""

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID

STRIKING = 100  # orphans


class Kind(StrEnum):
    """What may be found."""

    ORPHAN = "orphan"  # no row names it
    LOST = "lost"  # a row names it
    SIZE = "size"  # it isn't as large as its row says
    STRAY = "stray"  # nothing of ours is called so
    OLD_UPLOAD = "old_upload"  # a row past its time


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be."""

    kind: Kind
    key: str
    size_bytes: int | None = None
    job_id: UUID | None = None
    fixed: bool = False
    known: bool = False  # a lost one that was marked before


@dataclass(slots=True)
class Found:
    """The sum of a check."""

    jobs: int = 0
    objects: int = 0
    size_bytes: int = 0
    found: Counter[str] = field(default_factory=Counter)
    fixed: Counter[str] = field(default_factory=Counter)
    known: Counter[str] = field(default_factory=Counter)
    found_again: int = 0

    @property
    def open(self) -> int:
        """How many are neither fixed nor known."""
        return self.found.total() - self.fixed.total() - self.known.total()

    @property
    def is_striking(self) -> bool:
        """Whether so much is without a row that it may be another installation's, or this the wrong database."""
        orphans = self.found[Kind.ORPHAN]
        return orphans > STRIKING and orphans * 2 > self.objects
