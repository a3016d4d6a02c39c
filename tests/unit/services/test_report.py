"""Progress is passed on when it is new, and not too often."""

import json

import pytest

from rushes.domain.progress import Progress
from rushes.services.report import ProgressReport
from rushes.testing.memory.events import MemoryEvents
from rushes.testing.memory.queue import MemoryQueue
from tests.unit.services.claims import claim

pytestmark = pytest.mark.anyio


class Watch:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1000.0
        monkeypatch.setattr("rushes.services.report.time", self)

    def monotonic(self) -> float:
        return self.now


def at(percent: int, stage: str = "running") -> Progress:
    return Progress(stage=stage, percent=percent)


async def test_at_most_two_a_second_to_the_feed_and_one_to_the_row(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, queue, events = Watch(monkeypatch), MemoryQueue(), MemoryEvents()
    report = ProgressReport(queue=queue, events=events, claim=claim())
    for step in range(101):  # ten seconds, ten a second
        await report(at(min(step, 99)))
        watch.now += 0.1
    assert 18 <= len(events.told) <= 21
    assert 9 <= len(queue.booked) <= 11


async def test_a_new_stage_is_told_at_once_and_the_same_thing_never_twice(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    watch, queue, events = Watch(monkeypatch), MemoryQueue(), MemoryEvents()
    one = claim()
    report = ProgressReport(queue=queue, events=events, claim=one)
    await report(Progress(stage="uploading"))
    await report(Progress(stage="queued", position=1))
    await report(at(0))
    assert [json.loads(signal.payload)["stage"] for signal in events.told] == [
        "uploading",
        "queued",
        "running",
    ]
    assert queue.moves() == ["progress"] * 3
    watch.now += 100
    await report(at(0))
    assert len(events.told) == 3
    assert json.loads(events.told[0].payload)["id"] == str(one.job_id)


async def test_a_database_that_is_away_holds_up_no_job(monkeypatch: pytest.MonkeyPatch) -> None:
    watch, queue, events = Watch(monkeypatch), MemoryQueue(), MemoryEvents()
    report = ProgressReport(queue=queue, events=events, claim=claim())
    queue.away = 1
    await report(at(1))
    assert events.told == []
    watch.now += 2
    await report(at(2))
    assert len(events.told) == 1
