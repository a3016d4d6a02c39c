"""How many jobs a server may have at once."""

import pytest

from rushes.services.hold import Hold
from rushes.services.room import MOST_AHEAD, Room
from tests.unit.services.claims import claim


def hold(kind: str) -> Hold:
    return Hold(claim(workflow_type=kind))


def room(**runs: float) -> Room:
    """After one run of each kind that took so many seconds."""
    made = Room()
    for kind, seconds in runs.items():
        one = hold(kind)
        made.take(one)
        assert made.free(one, seconds)
    return made


def filled(made: Room, kind: str, slots: int = 1) -> int:
    """How many of that kind come in."""
    count = 0
    while made.is_there(slots):
        assert made.depth(slots) > count
        made.take(hold(kind))
        count += 1
    return count


@pytest.mark.parametrize(
    ("seconds", "slots", "jobs"),
    [
        (20.0, 1, 2),
        (20.0, 3, 4),
        (0.06, 1, 2),
        (0.04, 1, 3),
        (0.001, 1, 1 + MOST_AHEAD),
        (0.0, 2, 2 + MOST_AHEAD),
    ],
)
def test_as_many_as_take_no_time(seconds: float, slots: int, jobs: int) -> None:
    assert filled(room(trivial=seconds), "trivial", slots) == jobs


def test_what_is_not_known_may_take_long() -> None:
    made = room(trivial=0.001)
    made.take(hold("trivial"))
    made.take(hold("new"))
    assert not made.is_there(1)


def test_one_long_run_of_the_latest_is_enough() -> None:
    made = room(mixed=0.001)
    slow = hold("mixed")
    made.take(slow)
    made.free(slow, 30.0)
    assert filled(made, "mixed") == 2


def test_nobody_is_freed_twice() -> None:
    made, one = room(), hold("x")
    made.take(one)
    assert made.free(one, None)
    assert not made.free(one, None)
