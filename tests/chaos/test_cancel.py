"""Cancelling one job, over an API in another process than the dispatcher's, on both generations of ComfyUI."""

import time

import pytest

from tests.chaos.kinds import SLOW
from tests.chaos.people import Person
from tests.chaos.test_recovery import attempts, comfy_of, ended, owner_of, running, slow
from tests.chaos.town import Comfy, Town

PROMISED = 2.0
SLACK = 3.0


def alone(town: Town, version: str) -> Comfy:
    """Only the server of that version takes jobs."""
    chosen = next(comfy for comfy in town.comfys if comfy.version == version)
    town.database.sql("update comfy_servers set draining = (url <> %s)", chosen.url)
    return chosen


def cancelled_within(town: Town, person: Person, job_id: str) -> float:
    began = time.monotonic()
    person.cancel(job_id)
    town.until(lambda: town.status(job_id) == "cancelled", "it is cancelled")
    return time.monotonic() - began


@pytest.mark.parametrize("version", ["0.33.0", "0.3.64"])
def test_the_one_that_runs_ends_and_its_neighbours_do_not(town: Town, anna: Person, version: str):
    comfy = alone(town, version)
    first = slow(anna, 30)
    running(town, first)
    prefetched, waiting = slow(anna, 1), slow(anna, 1)
    town.until(lambda: len(comfy.queue()) == 2, "the next one is there already")
    seconds = cancelled_within(town, anna, first)
    print(f"\n{version}: a running job cancelled within {seconds:.2f} s")
    assert seconds < PROMISED + SLACK
    ended(town, prefetched)
    ended(town, waiting)
    assert attempts(town, first) == [(1, "cancelled")]
    assert attempts(town, prefetched) == attempts(town, waiting) == [(1, "completed")]


@pytest.mark.parametrize("version", ["0.33.0", "0.3.64"])
def test_those_that_wait_end_and_the_one_that_runs_does_not(town: Town, anna: Person, version: str):
    comfy = alone(town, version)
    first = slow(anna, 8)
    running(town, first)  # of two dispatchers the one that claims first need not be the one that sends first
    prefetched, waiting = slow(anna, 30), slow(anna, 30)
    town.until(
        lambda: town.status(prefetched) == "processing" and len(comfy.queue()) == 2, "the next one is there"
    )
    assert cancelled_within(town, anna, waiting) < PROMISED + SLACK
    assert cancelled_within(town, anna, prefetched) < PROMISED + SLACK
    ended(town, first)
    assert attempts(town, waiting) == []
    assert attempts(town, prefetched) == [(1, "cancelled")]
    town.until(lambda: not comfy.queue(), "nothing is left on the server")


def test_what_comfyui_does_not_stop_is_said_to_run_still(town: Town, anna: Person):
    comfy = alone(town, "0.33.0")
    job_id = slow(anna, 5)
    running(town, job_id)
    assert comfy.fault("freeze_worker")
    anna.cancel(job_id)
    for _ in range(20):
        row = town.database.sql(
            "select status, cancel_requested_at is not null from workflow_jobs where id = %s", job_id
        )
        assert row == [("processing", True)]
        time.sleep(0.1)
    comfy.mend()
    seconds = town.until(lambda: town.status(job_id) == "cancelled", "it is cancelled")
    assert seconds < PROMISED + SLACK


def test_a_cancel_while_its_dispatcher_is_killed(town: Town, anna: Person):
    job_id, neighbour = slow(anna, 40), slow(anna, town.lease_seconds + 3)
    running(town, job_id)
    comfy = comfy_of(town, job_id)
    for part in town.dispatchers:
        part.kill()
    anna.cancel(job_id)
    assert town.status(job_id) == "processing"
    for part in town.dispatchers:
        part.start()
    town.until(lambda: town.status(job_id) == "cancelled", "it is cancelled", town.lease_seconds + 20)
    town.until(lambda: job_id not in str(comfy.http.get("/queue").json()), "its prompt is stopped")
    ended(town, neighbour)


def test_a_cancel_while_comfyui_is_dead_wins_over_another_attempt(town: Town, anna: Person):
    job_id = slow(anna, 30)
    running(town, job_id)
    comfy = comfy_of(town, job_id)
    assert comfy.part
    comfy.part.kill()
    anna.cancel(job_id)
    comfy.part.start()
    town.until(lambda: town.status(job_id) == "cancelled", "it is cancelled", 30)
    assert attempts(town, job_id) == [(1, "cancelled")]


def test_polling_alone_is_enough(town: Town, anna: Person):
    """A transaction pooler delivers no notifications: nothing depends on them."""
    for part in town.dispatchers:
        part.kill()
    with town.polling_dispatcher() as polling:
        first = slow(anna, 30)
        running(town, first)
        assert owner_of(town, first) is polling
        began = time.monotonic()
        other = anna.submit(SLOW, 1, {"colour": 0x405060, "seconds": 0.1})
        assert cancelled_within(town, anna, first) < PROMISED + SLACK
        ended(town, other)
        print(
            f"\nby polling alone: one cancelled, the next completed within {time.monotonic() - began:.1f} s"
        )
