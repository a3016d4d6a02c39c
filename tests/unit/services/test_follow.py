"""Following one prompt: queue and history decide, messages hurry, silence and absence are borne for a while."""

import asyncio
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from rushes.adapters.clock import SystemClock
from rushes.domain.comfy import ComfyUnreachable
from rushes.domain.progress import Progress, ProgressTracker
from rushes.ports import PromptState
from rushes.services import follow
from rushes.services.follow import Follower, PromptLost
from rushes.services.hold import DeadlinePassed, Hold, LeaseLost, Stopping
from rushes.testing.memory.comfy import MemoryComfy, MemoryStream
from tests.unit.services.claims import claim
from tests.unit.services.waiting import until

pytestmark = pytest.mark.anyio
PENDING, RUNNING = PromptState(where="pending", position=2), PromptState(where="running")
FINISHED = PromptState(where="finished", history={"outputs": {"9": {}}})
UNKNOWN = PromptState(where="unknown")
AWAY = ComfyUnreachable("http://gpu:8188 can't be reached.")
GRAPH = {"9": {"class_type": "SaveImage", "inputs": {}}}


class Case:
    """A follower with everything around it."""

    def __init__(
        self, script: Sequence[PromptState | Exception], *, socket: bool = False, **changes: Any
    ) -> None:
        self.comfy = MemoryComfy(script)
        self.hold = Hold(claim(graph_sent=True, **changes))
        self.stream = MemoryStream() if socket else None
        self.told: list[Progress] = []
        self.follower = Follower(
            server=self.comfy,
            hold=self.hold,
            stream=self.stream,
            tracker=ProgressTracker(GRAPH),
            report=self._report,
            clock=SystemClock(),
        )

    async def _report(self, progress: Progress) -> None:
        self.told.append(progress)

    @property
    def prompt_id(self) -> str:
        return self.hold.claim.prompt_id

    async def end(self) -> Any:
        return await asyncio.wait_for(self.follower.to_the_end(), 10)


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "FIRST_POLL", 0.01)
    monkeypatch.setattr(follow, "LAST_POLL", 0.03)


async def test_polling_alone_brings_it_to_the_end() -> None:
    case = Case([PENDING, RUNNING, RUNNING, FINISHED])
    assert await case.end() == FINISHED.history
    assert [said.stage for said in case.told] == ["queued", "running", "running"]
    assert case.told[0].position == 2


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("execution_success", {}),
        ("execution_error", {"exception_message": "x"}),
        ("execution_interrupted", {}),
        ("executing", {"node": None}),
    ],
)
async def test_an_ending_on_the_socket_makes_it_look_at_once(
    kind: str, data: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "FIRST_POLL", 60.0)
    case = Case([RUNNING, FINISHED], socket=True)
    assert case.stream
    following = asyncio.create_task(case.end())
    await until(lambda: case.comfy.looks == 1)
    case.stream.say(kind, case.prompt_id, **data)
    assert await following == FINISHED.history


async def test_what_was_just_sent_is_looked_for_when_it_says_that_it_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follow, "FIRST_POLL", 60.0)
    case = Case([FINISHED], socket=True)
    assert case.stream
    following = asyncio.create_task(case.follower.to_the_end(just_sent=True))
    case.stream.say("executing", case.prompt_id, node="9")
    await until(lambda: case.told != [])
    assert case.comfy.looks == 0
    case.stream.say("execution_success", case.prompt_id)
    assert await asyncio.wait_for(following, 5) == FINISHED.history
    assert case.comfy.looks == 1


async def test_without_a_socket_what_was_just_sent_is_looked_for_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(follow, "FIRST_POLL", 60.0)
    case = Case([FINISHED])
    assert await asyncio.wait_for(case.follower.to_the_end(just_sent=True), 5) == FINISHED.history


async def test_it_looks_again_soon_when_history_is_a_moment_late(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case([RUNNING, RUNNING, FINISHED], socket=True)
    assert case.stream
    case.stream.say("execution_success", case.prompt_id)
    started = time.monotonic()
    await case.end()
    assert time.monotonic() - started < 1


async def test_messages_of_other_prompts_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case([RUNNING, FINISHED], socket=True)
    assert case.stream
    case.stream.say("execution_success", "another")
    case.stream.say("progress", None, node="9", value=1, max=2)
    case.stream.say("executing", "another", node="9")
    await case.end()
    assert case.told == [Progress(stage="running", percent=0)]


async def test_progress_on_the_socket_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case([RUNNING, FINISHED], socket=True)
    assert case.stream
    case.stream.say("progress", case.prompt_id, node="9", value=1, max=2)
    await case.end()
    assert case.told[-1].percent == 50
    assert case.told[-1].node == "9"


async def test_a_socket_that_dies_leaves_polling() -> None:
    case = Case([RUNNING, RUNNING, FINISHED], socket=True)
    assert case.stream
    case.stream.alive = False
    assert await case.end() == FINISHED.history


async def test_a_prompt_that_nobody_knows_is_lost() -> None:
    with pytest.raises(PromptLost):
        await Case([RUNNING, UNKNOWN]).end()


async def test_a_short_absence_is_borne() -> None:
    case = Case([RUNNING, AWAY, AWAY, AWAY, RUNNING, FINISHED])
    assert await case.end() == FINISHED.history


async def test_a_long_absence_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "UNREACHABLE_GRACE", 0.05)
    with pytest.raises(ComfyUnreachable):
        await Case([RUNNING, AWAY]).end()


async def test_absences_do_not_add_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "UNREACHABLE_GRACE", 0.2)
    monkeypatch.setattr(follow, "FIRST_POLL", 0.02)
    monkeypatch.setattr(follow, "LAST_POLL", 0.02)
    script: list[PromptState | Exception] = [AWAY, AWAY, AWAY, RUNNING] * 6
    assert await Case([*script, FINISHED]).end() == FINISHED.history


async def test_a_cancel_is_sent_and_the_end_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "FIRST_POLL", 60.0)
    case = Case([RUNNING, FINISHED])
    following = asyncio.create_task(case.end())
    await until(lambda: case.comfy.looks == 1)
    case.hold.cancel()
    assert await following == FINISHED.history
    assert case.comfy.cancels == [case.prompt_id]


async def test_a_cancelled_prompt_may_vanish() -> None:
    case = Case([UNKNOWN], cancel_requested=True)
    assert await case.end() is None


async def test_a_cancel_that_did_not_work_is_sent_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follow, "CANCEL_AGAIN", 0.03)
    case = Case([*[RUNNING] * 12, FINISHED], cancel_requested=True)
    await case.end()
    assert len(case.comfy.cancels) >= 3
    assert set(case.comfy.cancels) == {case.prompt_id}


async def test_a_cancel_that_could_not_be_sent_is_sent_with_the_next_look() -> None:
    case = Case([*[RUNNING] * 4, FINISHED], cancel_requested=True)
    case.comfy.refuses_cancels = [AWAY]
    await case.end()
    assert len(case.comfy.cancels) == 2


def _looked(case: Case) -> bool:
    return case.comfy.looks == 1


@pytest.mark.parametrize(("signal", "raised"), [("lose", LeaseLost), ("stop", Stopping)])
async def test_signals_end_it_at_once(
    signal: str, raised: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follow, "FIRST_POLL", 60.0)
    for socket in (False, True):
        case = Case([RUNNING], socket=socket)
        following = asyncio.create_task(case.end())
        await until(partial(_looked, case))
        getattr(case.hold, signal)()
        with pytest.raises(raised):
            await following


async def test_a_deadline_ends_it() -> None:
    with pytest.raises(DeadlinePassed):
        await Case([RUNNING], deadline_at=datetime.now(UTC) + timedelta(seconds=0.05)).end()


async def test_a_lost_lease_matters_more_than_a_cancel() -> None:
    case = Case([RUNNING], cancel_requested=True)
    case.hold.lose()
    with pytest.raises(LeaseLost):
        await case.end()
    assert case.comfy.cancels == [], "somebody else runs it now"


async def test_nothing_is_left_running_behind_it() -> None:
    case = Case([RUNNING, RUNNING, FINISHED], socket=True)
    before = asyncio.all_tasks()
    await case.end()
    await until(lambda: asyncio.all_tasks() == before)
