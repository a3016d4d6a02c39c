"""The dispatcher's own part: room, leases, cancels, take-overs, and what it hands back."""

import asyncio
from dataclasses import replace

import pytest

from rushes.domain.errors import Unavailable
from tests.unit.services.claims import claim
from tests.unit.services.fleet import UP, Fleet
from tests.unit.services.waiting import until

pytestmark = pytest.mark.anyio


async def test_a_server_gets_its_slots_and_one_beforehand() -> None:
    fleet = Fleet()
    fleet.registry.servers = [replace(UP, slots=2)]
    fleet.queue.waiting = [claim() for _ in range(5)]
    async with fleet.dispatcher() as dispatcher:
        await until(lambda: len(fleet.works.in_hand) == 3)
        await asyncio.sleep(0.03)
        assert dispatcher.busy == 3
        next(iter(fleet.works.free.values()))()  # ComfyUI is done with the first
        await until(lambda: len(fleet.works.in_hand) == 4)


@pytest.mark.parametrize(
    "change", [{"state": "down"}, {"state": "unknown"}, {"draining": True}, {"enabled": False}]
)
async def test_a_server_that_is_not_ready_gets_nothing(change: dict[str, object]) -> None:
    fleet = Fleet()
    fleet.registry.servers = [replace(UP, **change)]  # type: ignore[arg-type]  # mixed values
    fleet.queue.waiting = [claim()]
    async with fleet.dispatcher():
        fleet.events.signal("jobs")
        await asyncio.sleep(0.05)
    assert len(fleet.queue.waiting) == 1


async def test_a_cancel_reaches_the_job_by_signal_or_with_the_lease() -> None:
    fleet = Fleet()
    fleet.queue.waiting = [one, other] = [claim(), claim()]
    async with fleet.dispatcher(lease_seconds=0.3):
        await until(lambda: len(fleet.works.in_hand) == 2)
        for payload in ("", "rubbish", str(one.job_id)):
            fleet.events.signal("cancel", payload)
        await until(lambda: fleet.works.in_hand[one.job_id].cancel_requested)
        assert not fleet.works.in_hand[other.job_id].cancel_requested
        fleet.queue.cancels.add(other.job_id)
        await until(lambda: fleet.works.in_hand[other.job_id].cancel_requested)


async def test_a_job_whose_lease_is_lost_is_let_go() -> None:
    fleet = Fleet()
    fleet.queue.waiting = [claim()]
    async with fleet.dispatcher() as dispatcher:
        await until(lambda: len(fleet.works.in_hand) == 1)
        [hold] = fleet.works.in_hand.values()
        fleet.queue.lost.add(hold.job_id)
        await until(lambda: hold.lost and dispatcher.busy == 0)


async def test_a_database_that_is_away_costs_no_job_and_no_loop() -> None:
    fleet = Fleet()
    fleet.queue.away = 5
    fleet.queue.waiting = [claim()]
    async with fleet.dispatcher():
        await until(lambda: len(fleet.works.in_hand) == 1)
        fleet.queue.away = 3
        await until(lambda: fleet.queue.away == 0)
        assert not next(iter(fleet.works.in_hand.values())).lost


@pytest.mark.parametrize("breaks", [Unavailable, RuntimeError])
async def test_a_job_that_breaks_its_runner_leaves_the_others_alone(breaks: type[Exception]) -> None:
    fleet = Fleet()
    fleet.works.breaks = breaks
    fleet.queue.waiting = [claim()]
    async with fleet.dispatcher() as dispatcher:
        await until(lambda: fleet.works.in_hand and dispatcher.busy == 0)
        fleet.works.breaks = None
        fleet.queue.waiting = [claim(), claim()]
        await until(lambda: len(fleet.works.in_hand) == 3)


async def test_orphans_are_taken_over_on_their_own_server_even_a_strange_one() -> None:
    fleet = Fleet()
    strange = claim(server_id=claim().job_id, server_url="http://elsewhere:8188", graph_sent=True)
    fleet.queue.orphans = [claim(graph_sent=True), strange]
    async with fleet.dispatcher():
        await until(lambda: len(fleet.works.in_hand) == 2)
        assert strange.job_id in fleet.works.in_hand


async def test_an_own_job_that_ran_out_and_came_back_is_held_once() -> None:
    fleet = Fleet()
    fleet.queue.waiting = [first] = [claim()]
    async with fleet.dispatcher() as dispatcher:
        await until(lambda: len(fleet.works.in_hand) == 1)
        stale = fleet.works.in_hand[first.job_id]
        fleet.queue.orphans = [replace(first, lease_token=2)]
        await until(lambda: stale.lost)
        await until(lambda: fleet.works.in_hand[first.job_id] is not stale)
        await asyncio.sleep(0.02)
        assert dispatcher.busy == 1
        assert not fleet.works.in_hand[first.job_id].lost


async def test_stopping_gives_jobs_a_moment_and_then_hands_them_back() -> None:
    fleet = Fleet()
    fleet.queue.waiting = [claim()]
    async with fleet.dispatcher(lease_seconds=3) as dispatcher:
        await until(lambda: len(fleet.works.in_hand) == 1 and fleet.processes.on)
    assert all(hold.stopping for hold in fleet.works.in_hand.values())
    assert dispatcher.busy == 0
    assert fleet.processes.on == set()


async def test_stopping_waits_for_a_job_that_is_nearly_done() -> None:
    fleet = Fleet()
    fleet.queue.waiting = [claim()]
    async with fleet.dispatcher(lease_seconds=3) as dispatcher:
        await until(lambda: len(fleet.works.in_hand) == 1)
        dispatcher.stop()
        fleet.works.finish()
    assert not any(hold.stopping for hold in fleet.works.in_hand.values())
