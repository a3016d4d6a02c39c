"""Progress is passed on when it is new, not too often, and without holding up the job."""

import asyncio
import json
from time import monotonic

import pytest

from rushes.domain.progress import Progress
from rushes.services import report as module
from rushes.services.report import ProgressReport
from rushes.testing.memory.events import MemoryEvents
from rushes.testing.memory.queue import MemoryQueue
from tests.unit.services.claims import claim

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the real pauses."""
    monkeypatch.setattr(module, "FIRST_PAUSE", module.FIRST_PAUSE / 10)
    monkeypatch.setattr(module, "PAUSE", module.PAUSE / 10)


def at(percent: int, stage: str = "running") -> Progress:
    return Progress(stage=stage, percent=percent)


async def until_told(events: MemoryEvents, count: int) -> None:
    async with asyncio.timeout(5):
        while len(events.told) < count:
            await asyncio.sleep(0.005)


async def test_at_most_two_a_second() -> None:
    queue, events = MemoryQueue(), MemoryEvents()
    report = ProgressReport(queue=queue, events=events, claim=claim())
    began, step = monotonic(), 0
    while monotonic() - began < 0.4:  # of four seconds
        await report(at(step % 100))
        step += 1
        await asyncio.sleep(0.002)
    assert 2 <= len(events.told) <= 9
    assert queue.moves() == ["progress"] * len(queue.booked)
    assert len(queue.booked) <= 9


async def test_the_latest_is_told_and_the_same_thing_never_twice() -> None:
    queue, events = MemoryQueue(), MemoryEvents()
    one = claim()
    report = ProgressReport(queue=queue, events=events, claim=one)
    await report(Progress(stage="uploading"))
    await report(at(0))
    await until_told(events, 1)
    assert json.loads(events.told[0].payload) == {"id": str(one.job_id), **at(0).as_json()}
    await report(at(0))
    await report(at(1))
    await until_told(events, 2)
    await report(at(1))
    await asyncio.sleep(3 * module.PAUSE)
    assert [json.loads(told.payload)["percent"] for told in events.told] == [0, 1]


async def test_nothing_is_told_of_a_job_that_is_over() -> None:
    """It ended within the first moment, or somebody else has it."""
    queue, events = MemoryQueue(), MemoryEvents()
    one = claim()
    report = ProgressReport(queue=queue, events=events, claim=one)
    await report(at(1))
    queue.lost.add(one.job_id)
    await asyncio.sleep(3 * module.PAUSE)
    assert events.told == []


async def test_a_database_that_is_away_holds_up_no_job() -> None:
    queue, events = MemoryQueue(), MemoryEvents()
    report = ProgressReport(queue=queue, events=events, claim=claim())
    queue.away = 1
    await report(at(1))
    await asyncio.sleep(3 * module.PAUSE)
    assert events.told == []
    await report(at(2))
    await until_told(events, 1)


async def test_nothing_is_left_of_it_after_the_block() -> None:
    """Neither while it rests nor in the midst of a write; its loop may end at once."""
    before = asyncio.all_tasks()
    for wait_for_write in (False, True):
        queue, events = MemoryQueue(), MemoryEvents()
        async with ProgressReport(queue=queue, events=events, claim=claim()) as report:
            await report(at(1))
            if wait_for_write:
                await until_told(events, 1)
                await report(at(2))
        assert asyncio.all_tasks() == before
        await report(at(3))
        assert asyncio.all_tasks() == before
        assert len(events.told) == wait_for_write


async def test_a_write_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LAST_SECONDS", 0.05)
    queue, begun = MemoryQueue(), asyncio.Event()

    async def hang(*_: object) -> bool:
        begun.set()
        await asyncio.Event().wait()
        return True

    monkeypatch.setattr(queue, "progress", hang)
    before = asyncio.all_tasks()
    async with ProgressReport(queue=queue, events=MemoryEvents(), claim=claim()) as report:
        await report(at(1))
        await begun.wait()
    assert asyncio.all_tasks() == before
