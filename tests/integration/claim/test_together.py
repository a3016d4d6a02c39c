"""Many dispatchers claim at the same time, for the same servers."""

import asyncio
from collections import Counter
from uuid import UUID

import pytest
from psycopg import AsyncConnection

from rushes.ports import Claim, Server
from tests.integration.claim.yard import Yard

pytestmark = pytest.mark.anyio

DEPTH, JOBS = 2, 300


async def test_no_job_twice_and_no_server_beyond_its_depth(claim_url: str) -> None:
    """Eight dispatchers, each with connections of its own, three servers, 300 jobs."""
    async with Yard.opened(claim_url) as yard:
        need = await yard.need("a")
        servers = [await yard.server(need) for _ in range(3)]
        people = [await yard.person() for _ in range(5)]
        for person in people:
            await yard.jobs(JOBS // 5, person, need)
        watcher = asyncio.create_task(_deepest(yard))
        ran = [
            claim
            for claims in await asyncio.gather(*(_dispatcher(claim_url, n, servers) for n in range(8)))
            for claim in claims
        ]
        watcher.cancel()
        assert Counter(claim.job_id for claim in ran).most_common(1)[0][1] == 1
        assert len(ran) == JOBS
        assert await yard.sql("SELECT status, count(*), max(attempt) FROM workflow_jobs GROUP BY 1") == [
            ("completed", JOBS, 1)
        ]
        # what the rows say: at no moment did a server hold more than its depth
        assert await _most_at_once(yard) == {server.id: DEPTH for server in servers}
        assert [await yard.running(person) for person in people] == [0] * 5


async def _dispatcher(url: str, number: int, servers: list[Server]) -> list[Claim]:
    """Claims whatever there is room for, all servers at a time; ends jobs in no order of its own."""
    ran: list[Claim] = []
    async with Yard.opened(url) as own:
        while True:
            answers = await asyncio.gather(
                *(own.claim(server, depth=DEPTH, owner=f"d{number}") for server in servers)
            )
            claims = [claim for claim in answers if claim]
            ran += claims
            for claim in claims:
                await own.sql("SELECT pg_sleep(%s)", (claim.lease_token % 3) * 0.001)
                await own.complete(claim)
            if not claims and await own.sql(
                "SELECT count(*) FROM workflow_jobs WHERE status = 'pending'"
            ) == [(0,)]:
                return ran


async def _deepest(yard: Yard) -> None:
    while True:
        rows = await yard.sql(
            "SELECT server_id, count(*) FROM workflow_job_leases WHERE occupies_server GROUP BY 1"
        )
        assert all(count <= DEPTH for _, count in rows), rows
        await asyncio.sleep(0)


async def _most_at_once(yard: Yard) -> dict[UUID, int]:
    """From the log of events, in the order of commits: how many jobs each server held at most."""
    rows = await yard.sql(
        "SELECT a.server_id, e.data ->> 'to' FROM workflow_job_events AS e"
        " JOIN workflow_job_attempts AS a USING (job_id) WHERE e.kind = 'status' ORDER BY e.at"
    )
    held: Counter[UUID] = Counter()
    most: Counter[UUID] = Counter()
    for server, to in rows:
        held[server] += 1 if to == "processing" else -1
        most[server] = max(most[server], held[server])
    return dict(most)


async def test_the_depth_holds_for_a_single_slot(yard: Yard) -> None:
    """All at once for one place, again and again: one gets it."""
    server = await yard.server(await yard.need("a"))
    await yard.jobs(40, await yard.person(), "a")
    for _ in range(40):
        answers = await asyncio.gather(*(yard.claim(server) for _ in range(4)))
        (claim,) = [claim for claim in answers if claim]
        await yard.complete(claim)


async def test_a_locked_job_is_neither_waited_for_nor_forgotten(yard: Yard) -> None:
    need = await yard.need("a")
    servers = [await yard.server(need) for _ in range(3)]
    person = await yard.person()
    first, second, third = await yard.jobs(3, person, "a")
    async with await AsyncConnection.connect(yard.url) as editing:
        await editing.execute("UPDATE workflow_jobs SET title = 'x' WHERE id = %s", (first,))
        async with asyncio.timeout(5):
            assert (await yard.take(servers[0])).job_id == second
        await editing.commit()
    assert (await yard.take(servers[1])).job_id == first
    assert (await yard.take(servers[2])).job_id == third


async def test_a_busy_line_starves_nobody(yard: Yard) -> None:
    """Whoever finds all of the first 32 locked gets one as soon as they are let go."""
    server = await yard.server(await yard.need("a"))
    jobs = await yard.jobs(33, await yard.person(), "a")
    async with await AsyncConnection.connect(yard.url) as editing:
        await editing.execute("SELECT FROM workflow_jobs WHERE id = ANY (%s) FOR UPDATE", (jobs[:32],))
        async with asyncio.timeout(5):
            await yard.claim(server)
        await editing.rollback()
    taken = {await yard.status(job) for job in jobs[32:]}
    if "processing" not in taken:
        assert (await yard.take(server)).job_id == jobs[0]


async def test_claims_and_finishes_never_block_each_other_for_good(claim_url: str) -> None:
    """One person's jobs on several servers, with a limit, while jobs are passed over: the locks' order is one."""
    async with Yard.opened(claim_url, connections=8) as yard:
        needs = [await yard.need(name, models=name.upper()) for name in "xyz"]
        servers = [await yard.server(*needs, slots=2, warm=warm) for warm in "XYZ"]
        person = await yard.person()
        for _ in range(40):
            for need in needs:
                await yard.job(person, need)
        queue = yard.queue_with(running_limit=5)
        ran = 0

        async def drive(server: Server) -> None:
            nonlocal ran
            while ran < 120:
                claim = await yard.claim(server, queue=queue, depth=3)
                if claim:
                    await yard.complete(claim)
                    ran += 1
                    assert await yard.running(person) <= 5

        async with asyncio.timeout(30):
            await asyncio.gather(*(drive(server) for server in servers * 2))
        assert await yard.running(person) == 0
