"""The journal: every move of a job is counted as what the database made of it, and told without a person's words."""

from collections.abc import Iterator, MutableMapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from rushes.adapters.clock import SystemClock
from rushes.adapters.metrics import PrometheusMetrics, TypeNames
from rushes.domain.job import JobErrorCode
from rushes.ports import Claim, JobFailure, Result, Server
from rushes.services import journal as journals
from rushes.services.journal import JournaledQueue
from rushes.testing.memory.queue import MemoryQueue
from tests.unit.services.claims import claim

pytestmark = pytest.mark.anyio

SERVER = Server(id=UUID(int=7), url="http://gpu:8188", name="gpu")
RESULT = Result(outputs={"files": [{"size_bytes": 10}, {"size_bytes": None}], "texts": []}, result_urls=[])
PROMPT = "a secret fox"
Lines = list[MutableMapping[str, Any]]


class LaterClock(SystemClock):
    """So many seconds after now."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self._seconds = seconds

    def now(self) -> datetime:
        return datetime.now(UTC) + timedelta(seconds=self._seconds)


class Desk:
    """A journal over a queue in memory, with real metrics."""

    def __init__(self, *, later: float = 0.0) -> None:
        self.memory = MemoryQueue()
        self.metrics = PrometheusMetrics(types=TypeNames(lambda: ["img2img"]))
        self.queue = JournaledQueue(self.memory, metrics=self.metrics, clock=LaterClock(later))

    async def claimed(self, one: Claim) -> Claim:
        self.memory.waiting.append(one)
        given = await self.queue.claim(owner="me", server=SERVER, depth=1, cold=True, lease_seconds=5)
        assert given is one
        return given

    def value(self, name: str, **labels: str) -> float:
        return self.metrics.registry.get_sample_value(name, labels) or 0.0

    def attempts(self, outcome: str, code: str = "") -> float:
        return self.value(
            "rushes_attempts_total",
            workflow_type="img2img", outcome=outcome, error_code=code, server="http://gpu:8188",
        )  # fmt: skip


@pytest.fixture
def lines() -> Iterator[Lines]:
    with capture_logs() as lines:
        yield lines


def failure(code: JobErrorCode) -> JobFailure:
    details = {"node_id": "7", "node_class": "N" * 500, "traceback": PROMPT, "node_title": 7}
    return JobFailure(code=code, message=f"It said: {PROMPT}", details=details)


async def test_waiting_is_told_by_the_id(lines: Lines) -> None:
    desk = Desk(later=90)
    await desk.claimed(claim(job_id=SystemClock().uuid7()))
    assert desk.value("rushes_job_wait_seconds_sum", workflow_type="img2img") == pytest.approx(90, abs=1)
    assert lines[0]["event"] == "job claimed"
    assert lines[0]["age"] == pytest.approx(90, abs=1)


@pytest.mark.parametrize(
    "one", [claim(), claim(job_id=SystemClock().uuid7(), attempt=2)], ids=["id", "again"]
)
async def test_what_is_no_wait_is_not_counted(one: Claim) -> None:
    desk = Desk(later=90)
    await desk.claimed(one)
    assert desk.value("rushes_job_wait_seconds_count", workflow_type="img2img") == 0
    assert desk.value("rushes_claim_seconds_count", found="yes") == 1


async def test_a_clock_behind_makes_no_negative_wait() -> None:
    desk = Desk(later=-3600)
    await desk.claimed(claim(job_id=SystemClock().uuid7()))
    assert desk.value("rushes_job_wait_seconds_sum", workflow_type="img2img") == 0


async def test_a_claim_that_finds_nothing(lines: Lines) -> None:
    desk = Desk()
    assert await desk.queue.claim(owner="me", server=SERVER, depth=1, cold=True, lease_seconds=5) is None
    assert desk.value("rushes_claim_seconds_count", found="no") == 1
    assert lines == []


async def test_results_are_counted_once_however_often_the_write_is_tried(lines: Lines) -> None:
    desk = Desk()
    one = await desk.claimed(claim())
    await desk.queue.executed(one)
    desk.memory.away = 2
    for _ in range(2):
        with pytest.raises(Exception, match="can't be reached"):
            await desk.queue.complete(one, RESULT)
    assert await desk.queue.complete(one, RESULT)
    assert desk.value("rushes_stored_bytes_total") == 10
    assert desk.value("rushes_storing_seconds_count") == 1
    assert desk.attempts("completed") == 1
    assert [line["event"] for line in lines][1:] == ["job executed", "job stored", "job completed"]


async def test_every_ending() -> None:
    desk = Desk()
    lost = failure(JobErrorCode.SERVER_LOST)
    await desk.queue.fail(claim(), failure(JobErrorCode.NODE_ERROR))
    await desk.queue.retry(claim(), lost, delay_seconds=1)
    await desk.queue.cancelled(claim())
    await desk.queue.release(claim())
    assert desk.attempts("failed", "node_error") == 1
    assert desk.attempts("retried", "server_lost") == 1
    assert desk.attempts("cancelled") == 1
    assert desk.attempts("released") == 1


async def test_an_ending_that_came_too_late_is_none(lines: Lines) -> None:
    desk = Desk()
    one = await desk.claimed(claim())
    desk.memory.lost.add(one.job_id)
    assert not await desk.queue.complete(one, RESULT)
    assert not await desk.queue.fail(one, failure(JobErrorCode.NODE_ERROR))
    assert (desk.attempts("late"), desk.attempts("completed"), desk.attempts("failed", "node_error")) == (
        2,
        0,
        0,
    )
    assert desk.value("rushes_job_run_seconds_count", workflow_type="img2img") == 0
    assert lines[-1]["event"] == "job late"


async def test_take_overs() -> None:
    desk = Desk()
    desk.memory.orphans = [claim(), claim(workflow_type="\x00gone")]
    assert len(await desk.queue.rescue(owner="me", lease_seconds=5)) == 2
    server = {"server": "http://gpu:8188"}
    assert desk.value("rushes_jobs_taken_over_total", workflow_type="img2img", **server) == 1
    assert desk.value("rushes_jobs_taken_over_total", workflow_type="other", **server) == 1


@pytest.mark.parametrize("code", list(JobErrorCode))
async def test_a_person_s_words_stay_in_the_row(code: JobErrorCode, lines: Lines) -> None:
    """ComfyUI's messages quote values; only what Rushes says itself is written down."""
    await Desk().queue.fail(claim(inputs={"prompt": PROMPT}), failure(code))
    [line] = lines
    ours = {"server_lost", "timeout", "no_output", "storage_full", "upload_failed", "internal_error"}
    assert ("error" in line) == (code.value in ours)
    told = {name: value for name, value in line.items() if name != "error"}
    assert PROMPT not in str(told)
    assert (line["code"], line["node_id"], line["node_class"]) == (code.value, "7", "N" * 100)


async def test_attempts_that_never_end_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journals, "KNOWN_ATTEMPTS", 3)
    desk = Desk()
    for token in range(5):
        await desk.claimed(claim(lease_token=token))
    await desk.queue.complete(claim(lease_token=0), RESULT)
    assert desk.value("rushes_job_run_seconds_count", workflow_type="img2img") == 0
    await desk.queue.complete(claim(lease_token=4), RESULT)
    assert desk.value("rushes_job_run_seconds_count", workflow_type="img2img") == 1
