"""With all it has while nobody writes; one small step at a time, with rests, while the old app does."""

import asyncio
import time
from collections.abc import Sequence
from typing import Any

import pytest

from rushes.legacy import pace
from rushes.legacy.pace import GENTLE_ROWS, Pace
from rushes.legacy.queries import query

pytestmark = pytest.mark.anyio


class Noted:
    """A database that says how many changes were noted."""

    def __init__(self, *told: int, lately: bool = False) -> None:
        self._told = list(told)
        self._lately = lately

    async def fetch(self, statement: object, _params: object = None) -> Sequence[tuple[Any, ...]]:
        if statement == query("changes_lately"):
            return [(self._lately,)]
        return [(self._told.pop(0) if len(self._told) > 1 else self._told[0],)]


def paced(*noted: int, logged: Sequence[int] = (0,), hurry: bool = False) -> Pace:
    return Pace(Noted(*noted), Noted(*logged), hurry=hurry)  # type: ignore[arg-type]  # only `fetch` is asked for


@pytest.fixture(autouse=True)
def look_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "LOOK_SECONDS", 0.0)


async def together(kept: Pace, steps: int) -> int:
    """The most steps that were under way at once."""
    running = most = 0

    async def step() -> None:
        nonlocal running, most
        async with kept.step():
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.02)
            running -= 1

    await asyncio.gather(*(step() for _ in range(steps)))
    return most


async def test_while_nobody_writes_all_lanes_work() -> None:
    kept = paced(7)
    assert await together(kept, 3) == 3
    assert not kept.is_gentle
    assert kept.rows(2000, gentle=kept.is_gentle) == 2000


async def test_while_the_old_app_writes_there_is_one_small_step_at_a_time() -> None:
    kept = paced(7, 8, 9, 10, 11, 12)
    await together(kept, 1)  # one look says nothing yet
    assert await together(kept, 3) == 1
    assert kept.is_gentle
    assert kept.rows(2000, gentle=True) == GENTLE_ROWS
    assert kept.rows(3, gentle=True) == 3


async def test_it_looks_twice_before_it_begins() -> None:
    kept = paced(7, 8)
    await kept.begin()
    assert kept.is_gentle
    calm = paced(7)
    await calm.begin()
    assert not calm.is_gentle


async def test_what_was_noted_a_moment_ago_tells_it_too() -> None:
    kept = Pace(Noted(7, lately=True), Noted(0))  # type: ignore[arg-type]
    await kept.begin()
    assert kept.is_gentle


async def test_a_step_stays_gentle_however_long_the_process_was_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept = paced(7, 8)
    await kept.begin()
    async with kept.step() as gentle:
        monkeypatch.setattr(pace, "CALM_SECONDS", 0.0)
        assert gentle
        assert kept.rows(2000, gentle=gentle) == GENTLE_ROWS


async def test_in_a_hurry_all_lanes_work_whoever_writes() -> None:
    kept = paced(7, 8, hurry=True)
    await kept.begin()
    assert await together(kept, 3) == 3
    async with kept.step() as gentle:
        assert kept.rows(2000, gentle=gentle) == 2000


async def test_it_rests_longer_than_it_worked() -> None:
    kept = paced(1, 2)
    await together(kept, 1)
    began = time.monotonic()
    async with kept.step():
        await asyncio.sleep(0.1)
    assert time.monotonic() - began >= 0.1 * (1 + pace.REST)


async def test_it_is_hard_at_work_again_when_the_old_app_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "CALM_SECONDS", 0.3)
    kept = paced(1, 2, 2)
    await together(kept, 2)
    assert kept.is_gentle
    await asyncio.sleep(0.4)
    assert await together(kept, 3) == 3


async def test_a_step_is_so_small_that_no_commit_waits_long_for_its_log() -> None:
    kept = paced(1, 2, logged=[0, pace.STEP_BYTES * 2])
    await together(kept, 1)
    await together(kept, 1)
    assert kept.rows(2000, gentle=True) == GENTLE_ROWS // 2


async def test_what_wrote_much_log_rests_until_it_is_on_disk() -> None:
    kept = paced(1, 2, logged=[0, pace.LOG_BYTES // 4])
    await together(kept, 1)
    began = time.monotonic()
    await together(kept, 1)
    assert time.monotonic() - began >= 0.25


@pytest.mark.parametrize(
    ("rows", "written", "next_rows"),
    [(10, 0, 10), (5, 1, 10), (10, 2**30, pace.FEWEST_ROWS), (7, pace.STEP_BYTES, 7)],
)
def test_how_many_rows_come_next(rows: int, written: int, next_rows: int) -> None:
    assert pace._fitting(rows, written) == next_rows


async def test_what_must_keep_up_rests_no_longer_than_it_worked() -> None:
    kept = paced(1, 2, logged=[0, 2**40])
    await together(kept, 1)
    began = time.monotonic()
    async with kept.step(rest=0.5):
        await asyncio.sleep(0.05)
    assert time.monotonic() - began < 1
    assert kept.rows(2000, gentle=True) == GENTLE_ROWS
