"""What a dispatcher gets to know of a job that it takes over from a dead one."""

import pytest

from tests.integration.claim.yard import Yard

pytestmark = pytest.mark.anyio
GRAPH = {"1": {"class_type": "SaveImage", "inputs": {}}}


async def test_what_the_prompt_was_sent_with(yard: Yard) -> None:
    await yard.need("n")
    server, person = await yard.server("n", slots=2), await yard.person()
    sent = await yard.job(person, "n")
    first = await yard.take(server)
    unsent = await yard.job(person, "n")
    second = await yard.take(server)
    assert (first.client_id, second.client_id) == (None, None)
    assert await yard.queue.store_graph(first, GRAPH, "v1", client_id="socket-of-d1")
    await yard.behind_the_rules("UPDATE workflow_job_leases SET expires_at = now() - interval '1 s'")

    rescued = await yard.queue.rescue(owner="d2", lease_seconds=30)

    told = {claim.job_id: (claim.graph_sent, claim.client_id) for claim in rescued}
    assert told == {sent: (True, "socket-of-d1"), unsent: (False, None)}
    assert not await yard.queue.store_graph(first, GRAPH, "v1", client_id="late"), "its lease is gone"


async def test_an_attempt_of_its_own_has_its_own(yard: Yard) -> None:
    await yard.need("n")
    server = await yard.server("n")
    await yard.job(await yard.person(), "n")
    first = await yard.take(server)
    assert await yard.queue.store_graph(first, GRAPH, "v1", client_id="one")
    await yard.lose(first)
    again = await yard.take(server)
    assert again.client_id is None
    assert await yard.queue.store_graph(again, GRAPH, "v1", client_id="two")
    await yard.behind_the_rules("UPDATE workflow_job_leases SET expires_at = now() - interval '1 s'")
    (rescued,) = await yard.queue.rescue(owner="d2", lease_seconds=30)
    assert rescued.client_id == "two"
