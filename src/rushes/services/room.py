"""How many jobs a server may have at once: what runs, one that is prefetched, and more only where they take no time."""

from collections import defaultdict, deque

from rushes.ports import Claim
from rushes.services.hold import Hold

PREFETCH = 1  # one job beyond the slots: its uploads overlap the run before it
AHEAD_SECONDS = 0.1  # of work; sending the next job takes a good part of that
MOST_AHEAD = 8  # jobs
_REMEMBERED = 5  # runs of each kind

Kind = tuple[str, str]


class Room:
    """What stands in one server's queue, and for how long by the latest runs of such jobs there."""

    def __init__(self) -> None:
        self._runs: defaultdict[Kind, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        self._taken: dict[Hold, Kind] = {}

    def take(self, hold: Hold) -> None:
        self._taken[hold] = _kind(hold.claim)

    def free(self, hold: Hold, ran_seconds: float | None) -> bool:
        """It doesn't stand there any more; whether it did. `ran_seconds` is what ComfyUI said."""
        kind = self._taken.pop(hold, None)
        if kind is None:
            return False
        if ran_seconds is not None:
            self._runs[kind].append(ran_seconds)
        return True

    def is_there(self, slots: int) -> bool:
        """Whether another job may come: then `depth` is how many there may be."""
        return len(self._taken) < self.depth(slots)

    def depth(self, slots: int) -> int:
        """How many jobs there may be. Before one that takes long, or isn't known, only one is prefetched."""
        usual, now = slots + PREFETCH, len(self._taken)
        if usual <= now < slots + MOST_AHEAD and self._seconds() <= AHEAD_SECONDS:
            return now + 1
        return usual

    def _seconds(self) -> float:
        """How long the server has to do."""
        return sum(max(self._runs[kind], default=float("inf")) for kind in self._taken.values())


def _kind(claim: Claim) -> Kind:
    return claim.workflow_type, claim.workflow_name
