"""Which job a server is given: only what it can run, by priority, in turn among people."""

import pytest

from tests.integration.claim.yard import BROKEN, Yard

pytestmark = pytest.mark.anyio


async def test_a_claim_is_booked_in_one_piece(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    job = await yard.job(await yard.person(), "a", inputs="{}", max_attempts=5)
    claim = await yard.take(server, owner="me")
    assert (claim.job_id, claim.attempt, claim.max_attempts) == (job, 1, 5)
    assert (claim.server_id, claim.server_url, claim.prompt_id) == (server.id, server.url, str(job))
    assert await yard.sql(
        "SELECT j.status, j.attempt, j.comfy_url, l.lease_token, l.owner, l.occupies_server, a.number, a.prompt_id"
        " FROM workflow_jobs AS j JOIN workflow_job_leases AS l ON l.job_id = j.id"
        " JOIN workflow_job_attempts AS a ON a.job_id = j.id"
    ) == [("processing", 1, server.url, claim.lease_token, "me", True, 1, str(job))]


async def test_a_second_attempt_has_a_prompt_id_of_its_own(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    await yard.job(await yard.person(), "a")
    first = await yard.take(server)
    await yard.lose(first)
    await yard.age(11)
    second = await yard.take(server)
    assert second.attempt == 2
    assert second.prompt_id != first.prompt_id
    assert second.lease_token > first.lease_token


async def test_only_what_the_server_can_run(yard: Yard) -> None:
    person = await yard.person()
    for need in ("able", "unable", "unknown"):
        await yard.job(person, await yard.need(need))
    server = await yard.server("able")
    await yard.able(server.id, "unable", False)
    ran = await yard.order(server)
    assert [await yard.sql("SELECT requires FROM workflow_jobs WHERE id = %s", job) for job in ran] == [
        [("able",)]
    ]


async def test_a_job_starts_when_a_server_learns_to_run_it(yard: Yard) -> None:
    need = await yard.need("a")
    server = await yard.server()
    job = await yard.job(await yard.person(), need)
    assert await yard.claim(server) is None
    await yard.able(server.id, need)
    assert (await yard.take(server)).job_id == job


@pytest.mark.parametrize("column", ["enabled", "draining"])
async def test_no_job_for_a_server_out_of_use(yard: Yard, column: str) -> None:
    server = await yard.server(await yard.need("a"), **{column: column == "draining"})
    await yard.job(await yard.person(), "a")
    assert await yard.claim(server) is None
    await yard.sql(f"UPDATE comfy_servers SET {column} = NOT {column}")
    assert await yard.claim(server)


async def test_priority_before_everything(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"), await yard.need("b"))
    one, other = await yard.person(), await yard.person()
    low = await yard.job(other, "a", priority=1)
    middle = [await yard.job(one, "a"), await yard.job(one, "b")]
    high = await yard.job(one, "b", priority=9)
    assert await yard.order(server) == [high, *middle, low]


@pytest.mark.parametrize("status", ["cancelled", "failed", "completed"])
async def test_a_job_that_has_ended_is_not_claimed_again(yard: Yard, status: str) -> None:
    server = await yard.server(await yard.need("a"))
    job = await yard.job(await yard.person(), "a")
    claim = await yard.take(server)
    if status == "completed":
        await yard.complete(claim)
    elif status == "failed":
        assert await yard.queue.fail(claim, BROKEN)
    else:
        assert await yard.queue.cancelled(claim)
    assert await yard.status(job) == status
    assert await yard.claim(server) is None


async def test_no_job_before_its_time_and_none_past_its_deadline(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    person = await yard.person()
    later = await yard.job(person, "a")
    await yard.behind_the_rules("UPDATE workflow_jobs SET available_at = now() + interval '60 s'")
    late = await yard.job(person, "a")
    await yard.behind_the_rules(
        "UPDATE workflow_jobs SET deadline_at = now() - interval '1 s' WHERE id = %s", late
    )
    assert await yard.claim(server) is None
    await yard.age(61)
    assert await yard.order(server) == [later]


async def test_rows_of_the_old_tables_are_never_run(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    await yard.job(None, "a", origin="legacy")
    assert await yard.claim(server) is None


@pytest.mark.parametrize("paused", ["*", "img2img"])
async def test_a_pause_holds_and_ends(yard: Yard, paused: str) -> None:
    server = await yard.server(await yard.need("a"), await yard.need("b", workflow_type="lipsync-one"))
    person = await yard.person()
    picture, video = await yard.job(person, "a"), await yard.job(person, "b")
    await yard.sql("INSERT INTO queue_pauses (workflow_type) VALUES (%s)", paused)
    assert await yard.order(server) == ([] if paused == "*" else [video])
    await yard.sql("DELETE FROM queue_pauses")
    assert (await yard.order(server))[0] == picture


# --- turns ---------------------------------------------------------------------------------------


async def test_one_job_waits_for_no_more_than_the_one_that_is_prefetched(yard: Yard) -> None:
    """500 against 1: what runs, what is prefetched, then the other person's job."""
    server = await yard.server(await yard.need("a"))
    many, one = await yard.person(), await yard.person()
    backlog = await yard.jobs(500, many, "a")
    ran = [await yard.take(server, depth=2) for _ in range(2)]
    for _ in range(20):  # in the middle of it, not only at its start
        await yard.complete(ran[-2])
        ran.append(await yard.take(server, depth=2))
    only = await yard.job(one, "a")
    assert await yard.claim(server, depth=2) is None  # one runs and one is prefetched
    await yard.complete(ran[-2])
    assert (await yard.take(server, depth=2)).job_id == only
    assert [claim.job_id for claim in ran] == backlog[: len(ran)]


async def test_people_take_turns(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    people = [await yard.person() for _ in range(3)]
    owners = {job: person for person in people for job in await yard.jobs(4, person, "a")}
    ran = [owners[job] for job in await yard.order(server)]
    rounds = [ran[start : start + 3] for start in range(0, 12, 3)]
    assert all(set(one) == set(people) for one in rounds)


async def test_whoever_comes_back_has_no_credit_and_no_debt(yard: Yard) -> None:
    """Having been away doesn't put anybody before those who wait, nor behind them."""
    server = await yard.server(await yard.need("a"))
    away, busy = await yard.person(), await yard.person()
    await yard.jobs(30, busy, "a")
    for _ in range(10):
        await yard.complete(await yard.take(server))
    owners = dict.fromkeys(await yard.jobs(10, away, "a"), "away")
    ran = [owners.get(job, "busy") for job in await yard.order(server)]
    assert abs(ran[:10].count("away") - 5) <= 1
    assert abs(ran[:20].count("away") - 10) <= 1


async def test_a_retried_job_keeps_its_turn(yard: Yard) -> None:
    server = await yard.server(await yard.need("a"))
    jobs = await yard.jobs(5, await yard.person(), "a")
    claim = await yard.take(server)
    await yard.lose(claim)
    await yard.age(11)
    assert await yard.order(server) == jobs


async def test_thousands_that_cannot_run_cost_nothing(yard: Yard) -> None:
    """5,000 jobs at the head of the line that this server can't run: the claim doesn't read them."""
    server = await yard.server(await yard.need("able"))
    person = await yard.person()
    await yard.jobs(5000, person, await yard.need("unable"), priority=9)
    (job,) = await yard.jobs(1, person, "able")
    await yard.sql("VACUUM ANALYZE workflow_jobs")
    read = "SELECT coalesce(sum(idx_tup_fetch + seq_tup_read), 0) FROM pg_stat_xact_user_tables WHERE relname = 'workflow_jobs'"
    async with yard.database.service() as connection:
        statement, params = yard.claim_statement(server)
        await connection.execute(statement, params)
        cursor = await connection.execute(read)
        row = await cursor.fetchone()
    assert row
    assert row[0] < 50
    assert await yard.status(job) == "processing"
