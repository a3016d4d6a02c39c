"""Ending attempts: tries again with pauses that grow, and writes that outlast a database's absence."""

import pytest

from rushes.domain.job import JobErrorCode
from rushes.ports import JobFailure, Result
from rushes.services import insist
from rushes.services.hold import LeaseLost
from rushes.services.settle import Settler
from rushes.testing.memory.queue import MemoryQueue
from tests.unit.services.claims import claim

pytestmark = pytest.mark.anyio
RESULT = Result(outputs={"files": [], "texts": []}, result_urls=[])


async def retried(attempt: int, jitter: float) -> tuple[JobFailure, float]:
    queue = MemoryQueue()
    settler = Settler(queue=queue, jitter=lambda: jitter)
    await settler.again(claim(attempt=attempt, max_attempts=99), JobErrorCode.SERVER_LOST, "gone")
    [(what, _, more)] = queue.booked
    assert what == "retry"
    failure, delay = more
    return failure, delay


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (50, 60)])
async def test_pauses_double_up_to_a_minute_around_a_jitter(attempt: int, seconds: float) -> None:
    assert (await retried(attempt, 0.0))[1] == seconds * 0.5
    assert (await retried(attempt, 1.0))[1] == seconds * 1.5


async def test_the_last_attempt_fails_and_says_how_often_it_was_tried() -> None:
    queue = MemoryQueue()
    await Settler(queue=queue).again(claim(attempt=3), JobErrorCode.SERVER_LOST, "It is gone.")
    [(what, _, failure)] = queue.booked
    assert what == "fail"
    assert failure.code is JobErrorCode.SERVER_LOST
    assert failure.message == "It is gone. It was tried 3 times. Run it again when the server is well."


async def test_a_single_attempt_is_not_counted_aloud() -> None:
    queue = MemoryQueue()
    await Settler(queue=queue).again(claim(max_attempts=1), JobErrorCode.OUT_OF_MEMORY, "Full.")
    assert queue.booked[0][2].message == "Full. Run it again when the server is well."


async def test_a_finished_job_survives_a_database_that_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    queue = MemoryQueue()
    queue.away = 2
    assert await Settler(queue=queue).completed(claim(), RESULT)
    assert queue.moves() == ["complete"]


async def test_it_gives_up_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(insist, "KEEP_TRYING", 0.1)
    queue = MemoryQueue()
    queue.away = 1000
    with pytest.raises(LeaseLost):
        await Settler(queue=queue).completed(claim(), RESULT)
    assert queue.booked == []


async def test_a_lost_lease_changes_nothing_and_is_told() -> None:
    queue, one = MemoryQueue(), claim()
    queue.lost.add(one.job_id)
    settler = Settler(queue=queue)
    assert await settler.completed(one, RESULT) is False
    await settler.failed(one, JobErrorCode.TIMEOUT, "late")
    await settler.cancelled(one)
    await settler.released(one)
    assert queue.booked == []


async def test_each_ending_is_one_write() -> None:
    queue = MemoryQueue()
    settler = Settler(queue=queue)
    await settler.completed(claim(), RESULT)
    await settler.failed(claim(), JobErrorCode.NODE_ERROR, "boom", {"node": "3"})
    await settler.cancelled(claim())
    await settler.released(claim())
    assert queue.moves() == ["complete", "fail", "cancelled", "release"]
    assert queue.booked[1][2].details == {"node": "3"}
