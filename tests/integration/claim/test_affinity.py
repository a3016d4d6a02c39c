"""Jobs whose models are loaded may go first: within 32 places, never across priorities, not for ever."""

import pytest

from rushes.ports import Server
from tests.integration.claim.yard import Yard

pytestmark = pytest.mark.anyio


async def two_models(yard: Yard, **server: str) -> Server:
    return await yard.server(
        await yard.need("x", models="X"), await yard.need("y", models="Y"), warm="X", **server
    )


async def test_the_warm_one_goes_first(yard: Yard) -> None:
    server = await two_models(yard)
    person = await yard.person()
    cold = await yard.job(person, "y")
    warm = await yard.job(person, "x")
    assert await yard.order(server) == [warm, cold]


async def test_what_needs_no_models_is_at_home_everywhere(yard: Yard) -> None:
    server = await two_models(yard)
    await yard.able(server.id, await yard.need("plain"))
    person = await yard.person()
    cold, plain = await yard.job(person, "y"), await yard.job(person, "plain")
    assert await yard.order(server) == [plain, cold]
    assert await yard.sql("SELECT warm_model_set FROM comfy_servers") == [("Y",)]


async def test_the_server_remembers_what_it_loaded(yard: Yard) -> None:
    server = await two_models(yard)
    await yard.job(await yard.person(), "y")
    await yard.complete(await yard.take(server))
    assert await yard.sql("SELECT warm_model_set, warm_workflow FROM comfy_servers") == [("Y", "img2img")]


@pytest.mark.parametrize(("ahead", "jumps"), [(31, True), (32, False)])
async def test_within_32_places(yard: Yard, ahead: int, jumps: bool) -> None:
    server = await two_models(yard)
    person = await yard.person()
    await yard.jobs(ahead, person, "y")
    warm = await yard.job(person, "x")
    assert ((await yard.take(server)).job_id == warm) is jumps


@pytest.mark.parametrize("slot_is_free", [True, False])
async def test_never_across_priorities(yard: Yard, slot_is_free: bool) -> None:
    """Not even when the more urgent one can't be prefetched, because its models would have to be swapped."""
    server = await two_models(yard)
    person = await yard.person()
    if not slot_is_free:
        await yard.job(person, "x")
        await yard.take(server)
    urgent = await yard.job(person, "y", priority=6)
    await yard.job(person, "x")
    claim = await yard.claim(server, depth=2)
    assert (claim.job_id if claim else None) == (urgent if slot_is_free else None)


async def test_models_are_not_swapped_for_a_job_that_would_only_wait(yard: Yard) -> None:
    server = await two_models(yard)
    person = await yard.person()
    await yard.jobs(2, person, "x")
    cold = await yard.job(person, "y")
    running = [await yard.take(server, depth=2) for _ in range(2)]
    await yard.complete(running[0])
    assert await yard.claim(server, depth=2) is None
    await yard.complete(running[1])
    assert (await yard.take(server, depth=2)).job_id == cold


async def test_an_idle_server_waits_a_moment_for_a_warm_match(yard: Yard) -> None:
    server = await two_models(yard)
    person = await yard.person()
    cold = await yard.job(person, "y")
    assert await yard.claim(server, cold=False) is None
    warm = await yard.job(person, "x")
    assert (await yard.take(server, cold=False)).job_id == warm
    assert await yard.sql("SELECT id FROM workflow_jobs WHERE status = 'pending'") == [(cold,)]


async def test_a_server_with_nothing_loaded_takes_the_first(yard: Yard) -> None:
    server = await yard.server(await yard.need("x", models="X"), await yard.need("y", models="Y"))
    first = await yard.job(await yard.person(), "y")
    assert (await yard.take(server, cold=False)).job_id == first


@pytest.mark.parametrize("cold", [True, False], ids=["idle", "waiting for a warm match"])
async def test_nobody_is_passed_over_for_longer_than_the_bound(yard: Yard, cold: bool) -> None:
    server = await two_models(yard)
    person = await yard.person()
    passed = await yard.job(person, "y")
    await yard.jobs(20, person, "x")
    for _ in range(6):  # 60 s of jobs that take 10 s
        claim = await yard.take(server)
        assert claim.job_id != passed
        await yard.complete(claim)
        await yard.age(10)
    await yard.age(0.1)
    assert (await yard.take(server, cold=cold)).job_id == passed


async def test_an_overdue_job_is_prefetched_too(yard: Yard) -> None:
    server = await two_models(yard)
    person = await yard.person()
    passed = await yard.job(person, "y")
    await yard.jobs(5, person, "x")
    await yard.take(server, depth=2)
    await yard.age(61)
    assert (await yard.take(server, depth=2)).job_id == passed


async def test_the_bound_counts_from_the_first_time(yard: Yard) -> None:
    server = await two_models(yard)
    person = await yard.person()
    passed = await yard.job(person, "y")
    await yard.jobs(5, person, "x")
    marks = set()
    for _ in range(3):
        await yard.complete(await yard.take(server))
        marks.add((await yard.sql("SELECT passed_over_at FROM workflow_jobs WHERE id = %s", passed))[0][0])
    assert len(marks) == 1
    assert None not in marks


async def test_no_mark_for_a_job_that_waits_its_turn(yard: Yard) -> None:
    server = await two_models(yard)
    person = await yard.person()
    await yard.jobs(2, person, "x")
    await yard.job(person, "y")
    await yard.complete(await yard.take(server))
    assert await yard.sql("SELECT id FROM workflow_jobs WHERE passed_over_at IS NOT NULL") == []


@pytest.mark.parametrize(
    ("cold", "warm", "seconds"), [(None, None, 2), (25, 10, 15), (10, 10, 0), (500, 10, 60)]
)
async def test_a_job_is_left_to_the_server_that_has_its_models_for_as_long_as_loading_takes(
    yard: Yard, cold: float | None, warm: float | None, seconds: float
) -> None:
    """Nothing is known, something is, loading costs nothing, loading takes for ever (the bound holds)."""
    need = await yard.need("x", models="X")
    await yard.sql("UPDATE workflow_requirements SET cold_seconds = %s, warm_seconds = %s", cold, warm)
    await yard.server(need, warm="X")  # busy, as far as anybody knows
    idle = await yard.server(need, warm="Y")
    job = await yard.job(await yard.person(), "x")
    if seconds:
        await yard.age(seconds - 1)
        assert await yard.claim(idle) is None
        await yard.age(1.1)
    assert (await yard.take(idle)).job_id == job


@pytest.mark.parametrize("gone", ["enabled = false", "draining = true", "state = 'down'", "failures = 1"])
async def test_but_not_to_one_that_is_out_of_use(yard: Yard, gone: str) -> None:
    need = await yard.need("x", models="X")
    warm, idle = await yard.server(need, warm="X"), await yard.server(need, warm="Y")
    await yard.sql(f"UPDATE comfy_servers SET {gone} WHERE id = %s", warm.id)
    job = await yard.job(await yard.person(), "x")
    assert (await yard.take(idle)).job_id == job


async def test_what_loading_costs_is_learned(yard: Yard) -> None:
    server = await yard.server(await yard.need("x", models="X"), warm="Y")
    person = await yard.person()
    for ran in (30.0, 10.0, 10.0, 10.0):
        await yard.job(person, "x")
        claim = await yard.take(server)
        assert await yard.queue.executed(claim, ran_seconds=ran)
        await yard.complete(claim)
    ((cold, warm),) = await yard.sql("SELECT cold_seconds, warm_seconds FROM workflow_requirements")
    assert (round(cold, 3), round(warm, 3)) == (30.0, 10.0)


async def test_a_run_that_says_no_time_teaches_nothing(yard: Yard) -> None:
    server = await yard.server(await yard.need("x", models="X"), warm="Y")
    await yard.job(await yard.person(), "x")
    assert await yard.queue.executed(await yard.take(server))
    assert await yard.sql("SELECT cold_seconds, warm_seconds FROM workflow_requirements") == [(None, None)]


async def test_zero_seconds_turn_it_off(yard: Yard) -> None:
    server = await two_models(yard)
    person = await yard.person()
    queue = yard.queue_with(affinity_seconds=0)
    jobs = [await yard.job(person, need) for need in ("y", "x", "y", "x")]
    assert await yard.order(server, queue=queue, cold=False) == jobs
