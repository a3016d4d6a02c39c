"""How soon jobs go on after a process died, and who may still say something about them. Figures are printed."""

import time
from typing import Any

from tests.chaos.kinds import PLAIN, SLOW
from tests.chaos.people import Person
from tests.chaos.processes import Part
from tests.chaos.town import Comfy, Town

MARK = 4711
SLACK = 5.0  # these machines are busy; the promise is in the names


def slow(person: Person, seconds: float) -> str:
    return person.submit(SLOW, MARK, {"colour": 0x102030, "seconds": seconds})


def running(town: Town, job_id: str) -> None:
    """Wait until ComfyUI is at work on it."""
    town.until(
        lambda: any(job_id in str(comfy.http.get("/queue").json()["queue_running"]) for comfy in town.comfys),
        f"{job_id} runs",
    )


def comfy_of(town: Town, job_id: str) -> Comfy:
    url = town.one("select comfy_url from workflow_jobs where id = %s", job_id)
    return next(comfy for comfy in town.comfys if comfy.url == url)


def owner_of(town: Town, job_id: str) -> Part:
    """The dispatcher process that holds it."""
    owner = str(town.one("select owner from workflow_job_leases where job_id = %s", job_id))
    return next(part for part in town.dispatchers if part.alive and f":{part.pid}:" in owner)


def lease(town: Town, job_id: str) -> Any:
    return town.one("select lease_token from workflow_job_leases where job_id = %s", job_id)


def ended(town: Town, job_id: str, status: str = "completed", seconds: float = 40) -> None:
    town.until(lambda: town.status(job_id) not in ("pending", "processing"), f"{job_id} ends", seconds)
    found = town.database.sql("select status, error_message from workflow_jobs where id = %s", job_id)
    assert found[0][0] == status, found


def runs_of(town: Town, job_id: str) -> list[str]:
    """What ComfyUI has executed for a job."""
    return [
        prompt_id
        for comfy in town.comfys
        for prompt_id, entry in comfy.history().items()
        if job_id in str(entry["prompt"])
    ]


def attempts(town: Town, job_id: str) -> list[tuple[int, str]]:
    return [
        (number, outcome)
        for number, outcome in town.database.sql(
            "select number, outcome from workflow_job_attempts where job_id = %s order by 1", job_id
        )
    ]


def test_a_killed_dispatchers_job_is_taken_over_and_goes_on_where_it_was(town: Town, anna: Person):
    job_id = slow(anna, town.lease_seconds + 8)
    running(town, job_id)
    token, killed = lease(town, job_id), owner_of(town, job_id)
    killed.kill()
    seconds = town.until(lambda: lease(town, job_id) != token, "it is taken over")
    print(f"\ntaken over {seconds:.1f} s after the kill; the lease is {town.lease_seconds:g} s")
    assert seconds < town.lease_seconds + 5 + SLACK
    stage = "select (progress ->> 'percent')::int from workflow_job_leases where job_id = %s"
    before = town.one(stage, job_id) or 0
    town.until(lambda: (town.one(stage, job_id) or 0) > before, "its progress is told on")
    ended(town, job_id)
    assert attempts(town, job_id) == [(1, "completed")]
    assert len(runs_of(town, job_id)) == 1, "it was run again"


def test_a_restarted_comfyuis_job_runs_again_at_once_where_there_is_no_other(town: Town, anna: Person):
    job_id = slow(anna, 4)
    running(town, job_id)
    comfy = comfy_of(town, job_id)
    town.database.sql("update comfy_servers set draining = true where url <> %s", comfy.url)
    assert comfy.part
    comfy.part.kill()
    time.sleep(2)  # it is seen to be down
    comfy.part.start()
    town.until(comfy.answers, f"{comfy.name} answers")
    seconds = town.until(comfy.queue, "it has the job again")
    print(f"\nrun again {seconds:.1f} s after ComfyUI was back")
    assert seconds < 5 + SLACK
    ended(town, job_id)
    assert attempts(town, job_id) == [(1, "retried"), (2, "completed")]


def test_another_server_takes_the_job_of_one_that_stays_away(town: Town, anna: Person):
    job_id = slow(anna, 3)
    running(town, job_id)
    comfy = comfy_of(town, job_id)
    assert comfy.part
    comfy.part.kill()
    ended(town, job_id, seconds=60)
    assert comfy_of(town, job_id) is not comfy
    assert attempts(town, job_id) == [(1, "retried"), (2, "completed")]


def test_a_dispatcher_that_drains_hands_over_at_once(town: Town, anna: Person):
    job_id = slow(anna, 10)
    running(town, job_id)
    token, leaving = lease(town, job_id), owner_of(town, job_id)
    began = time.monotonic()
    leaving.terminate()
    seconds = town.until(lambda: lease(town, job_id) != token, "it is taken over")
    assert leaving.ended(15), "it doesn't leave"
    print(f"\nhanded over after {seconds:.1f} s, gone after {time.monotonic() - began:.1f} s")
    assert seconds < 2 + 2 + SLACK  # the moment that jobs are given to finish, and the next look for orphans
    later = anna.submit(PLAIN, MARK, {"colour": 1})
    ended(town, later)
    owner = town.one("select owner from workflow_job_attempts where job_id = %s", later)
    assert f":{leaving.pid}:" not in owner, "it claimed after it was told to stop"
    ended(town, job_id)
    assert attempts(town, job_id) == [(1, "completed")]
    assert len(runs_of(town, job_id)) == 1


def test_a_second_sigterm_ends_a_dispatcher_at_once(town: Town, anna: Person):
    job_id = slow(anna, 6)
    running(town, job_id)
    leaving = owner_of(town, job_id)
    leaving.terminate()
    time.sleep(0.5)
    leaving.terminate()
    assert leaving.ended(2), "it takes its time"
    ended(town, job_id)
    assert attempts(town, job_id) == [(1, "completed")]


def test_who_was_paused_beyond_his_lease_says_nothing_more(town: Town, anna: Person):
    job_id = slow(anna, 1)
    running(town, job_id)
    token, paused = lease(town, job_id), owner_of(town, job_id)
    paused.pause()
    town.until(lambda: lease(town, job_id) != token, "it is taken over")
    ended(town, job_id)
    record = town.database.sql("select * from workflow_job_events where job_id = %s order by id", job_id)
    paused.go_on()
    after = slow(anna, 0.1)
    ended(town, after)
    paused.until_said(job_id)
    time.sleep(0.5)  # nothing is what we wait for
    kinds = "select kind, data ->> 'to' from workflow_job_events where job_id = %s and kind = 'status'"
    assert [to for _, to in town.database.sql(kinds, job_id)] == ["processing", "completed"]
    outputs = "select * from workflow_job_events where job_id = %s and kind = 'output' order by id"
    assert town.database.sql(outputs, job_id) == [row for row in record if row[3] == "output"]
    assert attempts(town, job_id) == [(1, "completed")]
