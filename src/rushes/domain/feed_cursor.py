"""How far somebody has read the event log.

Neither a serial number nor a transaction's is the order of commits, so it is no place in a line but a set: every
transaction up to a number, but not those that were still open then. PostgreSQL's snapshots are the same.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Self

from rushes.domain.errors import InvalidCursor

LONGEST = 4000  # characters of a cursor's text, which has to fit into a header
_XID = "(?:0|[1-9][0-9]{0,18})"
_OPEN = rf"{_XID}(?:\.[1-9][0-9]{{0,17}})?"
_TEXT = re.compile(rf"({_XID}):((?:{_OPEN}(?:,{_OPEN})*)?)")


@dataclass(frozen=True, slots=True)
class FeedCursor:
    """Everything before transaction `next` is read, but of those in `open` only the events up to a number."""

    next: int
    open: Mapping[int, int] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises InvalidCursor."""
        found = _TEXT.fullmatch(text)
        if not found:
            raise InvalidCursor("The cursor is broken: leave it out to start from now.")
        entries = (entry.partition(".") for entry in found[2].split(",") if entry)
        return cls(int(found[1]), {int(xid): int(event or 0) for xid, _, event in entries})

    @classmethod
    def of_snapshot(cls, text: str) -> Self:
        """All that a PostgreSQL snapshot ("xmin:xmax:open,open") sees."""
        _, xmax, still = text.split(":")
        return cls(int(xmax), {int(xid): 0 for xid in still.split(",") if xid})

    def __str__(self) -> str:
        text = f"{self.next}:" + ",".join(
            f"{xid}.{event}" if event else str(xid) for xid, event in sorted(self.open.items())
        )
        # where it is too long, some comes again: that is no harm, and nothing is missed
        return text if len(text) <= LONGEST else f"{min(self.open)}:"

    def covers(self, xids: Iterable[int]) -> bool:
        """Whether all of those transactions are read to their ends."""
        return all(xid < self.next and xid not in self.open for xid in xids)

    def until(self, end: Self, xid: int, event: int) -> Self:
        """After that event, when what `end` has and this has not is read in the order of transactions and events."""
        still = {one: told for one, told in end.open.items() if one < xid}
        later = {one: told for one, told in self.open.items() if one > xid}
        return type(self)(max(self.next, xid + 1), still | {xid: event} | later)

    def plus(self, other: Self) -> Self:
        """All that one of the two has read."""
        low, high = sorted((self, other), key=lambda one: one.next)
        return type(self)(
            high.next,
            {
                xid: max(event, low.open.get(xid, 0))
                for xid, event in high.open.items()
                if xid >= low.next or xid in low.open
            },
        )
