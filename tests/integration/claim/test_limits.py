"""How many jobs run: of one person, and on one server. Kept counts, pauses after losses, second chances."""

import asyncio

import pytest

from rushes.ports import Claim
from tests.integration.claim.yard import BROKEN, LOST, Yard

pytestmark = pytest.mark.anyio


# --- people --------------------------------------------------------------------------------------


async def test_the_running_limit_holds_for_each_person(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"), slots=16)
    busy, other = await yard.person(), await yard.person()
    await yard.jobs(10, busy, "a")
    await yard.jobs(10, other, "a")
    queue = yard.queue_with(running_limit=3)
    claims = [claim for _ in range(12) if (claim := await yard.claim(server, queue=queue))]
    assert sorted(c.user_id for c in claims if c.user_id) == sorted([busy] * 3 + [other] * 3)
    await yard.complete(next(claim for claim in claims if claim.user_id == busy))
    assert (await yard.take(server, queue=queue)).user_id == busy
    assert await yard.claim(server, queue=queue) is None


async def test_a_limit_of_ones_own(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"), slots=16)
    more, less = await yard.person(jobs_running=5), await yard.person(jobs_running=1)
    await yard.jobs(10, more, "a")
    await yard.jobs(10, less, "a")
    queue = yard.queue_with(running_limit=2)
    claims = [claim for _ in range(12) if (claim := await yard.claim(server, queue=queue))]
    owners = [claim.user_id for claim in claims]
    assert (owners.count(more), owners.count(less), len(owners)) == (5, 1, 6)


async def test_running_jobs_are_counted_right_whatever_becomes_of_them(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"), slots=16)
    person = await yard.person()
    await yard.jobs(8, person, "a", max_attempts=9)
    claims = [await yard.take(server) for _ in range(8)]
    assert await yard.running(person) == 8
    await yard.complete(claims[0])
    assert await yard.queue.fail(claims[1], BROKEN)
    assert await yard.queue.cancelled(claims[2])
    assert await yard.queue.retry(claims[3], LOST, delay_seconds=60)
    assert await yard.running(person) == 4
    await yard.sql("DELETE FROM workflow_jobs WHERE id = %s", claims[4].job_id)
    assert await yard.running(person) == 3
    await yard.sql("UPDATE workflow_jobs SET cancel_requested_at = now() WHERE id = %s", claims[5].job_id)
    assert await yard.running(person) == 3  # asked for, not done
    assert await yard.queue.retry(claims[5], LOST, delay_seconds=60)  # ends it
    assert await yard.running(person) == 2
    for stale in claims[:6]:  # too late: their leases are gone
        assert not await yard.queue.fail(stale, BROKEN)
    assert await yard.running(person) == 2
    await yard.complete(*claims[6:])
    assert await yard.running(person) == 0
    await yard.sql("DELETE FROM auth.users WHERE id = %s", person)
    assert await yard.sql("SELECT * FROM rushes.user_running") == []


async def test_the_running_limit_holds_when_many_claim_at_once(yard: Yard) -> None:
    """Two servers must not give a person's last place away twice."""
    servers = [await yard.server(await yard.need("a"), slots=4) for _ in range(6)]
    person = await yard.person()
    await yard.jobs(200, person, "a")
    queue = yard.queue_with(running_limit=3)
    for _ in range(15):
        answers = await asyncio.gather(*(yard.claim(server, queue=queue) for server in servers * 2))
        claims = [claim for claim in answers if claim]
        assert 1 <= len(claims) <= 3
        assert await yard.running(person) == len(claims)
        await asyncio.gather(*(yard.complete(claim) for claim in claims))


# --- servers -------------------------------------------------------------------------------------


async def test_a_server_holds_no_more_than_its_depth(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    await yard.jobs(5, await yard.person(), "a")
    claims = [await yard.take(server, depth=2) for _ in range(2)]
    assert await yard.claim(server, depth=2) is None
    assert await yard.queue.executed(claims[0])  # its results are still being stored
    assert await yard.claim(server, depth=2)
    assert await yard.claim(server, depth=2) is None


async def test_a_job_that_lost_its_server_goes_elsewhere_first(yard: Yard) -> None:
    need = await yard.need("a")
    old, new = await yard.server(need), await yard.server(need)
    job = await yard.job(await yard.person(), "a")
    await yard.lose(await yard.take(old))
    assert await yard.claim(old) is None
    assert (await yard.take(new)).job_id == job


async def test_and_comes_back_to_it_when_the_others_take_too_long(yard: Yard) -> None:
    need = await yard.need("a")
    server = await yard.server(need)
    await yard.server(need)
    job = await yard.job(await yard.person(), "a")
    await yard.lose(await yard.take(server))
    await yard.age(9)
    assert await yard.claim(server) is None
    await yard.age(1.5)
    assert (await yard.take(server)).job_id == job


async def test_and_comes_back_to_it_at_once_when_there_is_no_other(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    job = await yard.job(await yard.person(), "a")
    await yard.lose(await yard.take(server))
    assert (await yard.take(server)).job_id == job


async def test_three_lost_attempts_open_the_breaker(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"), slots=4)
    await yard.jobs(9, await yard.person(), "a", max_attempts=99)

    async def lose_one() -> Claim:
        claim = await yard.take(server)
        await yard.lose(claim)
        return claim

    for _ in range(3):
        await lose_one()
    assert await yard.claim(server) is None
    await yard.age(5.1)
    probe = await yard.take(server)
    assert await yard.claim(server) is None  # half open: one job is tried
    await yard.lose(probe)
    await yard.age(5.1)
    assert await yard.claim(server) is None  # longer this time
    await yard.age(5)
    await yard.complete(await yard.take(server))
    assert await yard.sql("SELECT failures, open_until FROM comfy_servers") == [(0, None)]
    assert [bool(await yard.claim(server)) for _ in range(5)] == [True] * 4 + [False]


async def test_attempts_that_were_the_last_ones_open_it_too(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    await yard.jobs(5, await yard.person(), "a", max_attempts=1)
    for _ in range(3):
        assert await yard.queue.fail(await yard.take(server), LOST)
    assert await yard.claim(server) is None


async def test_a_job_that_fails_by_itself_is_not_the_servers_fault(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    await yard.jobs(5, await yard.person(), "a")
    for _ in range(4):
        assert await yard.queue.fail(await yard.take(server), BROKEN)
    assert await yard.claim(server)
