"""Rows of the failure table that no other test tries, each with the words that its owner reads."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.person import Person
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, sleeper_graph

STALL_SECONDS = 3.0


@pytest.fixture
def servers() -> Iterator[list[DemoServer]]:
    with DemoServer(extra_nodes=True) as first, DemoServer(extra_nodes=True, version="0.3.64") as second:
        yield [first, second]


@pytest.fixture
def stall_minutes() -> float:
    return 30.0


@pytest.fixture
def app(
    postgres_server: str, servers: list[DemoServer], tmp_path: Path, stall_minutes: float
) -> Iterator[Stand]:
    types = tmp_path / "types"
    install(types, "sleep", SLEEPER, sleeper_graph())
    with (
        app_database(postgres_server) as url,
        Stand(
            url, tmp_path / "app", comfy_urls=[server.url for server in servers], workflows_dir=types,
            stall_minutes=stall_minutes,
        ) as stand,
    ):  # fmt: skip
        yield stand


@pytest.fixture
def anna(app: Stand) -> Person:
    return app.person()


def test_out_of_memory_is_freed_and_tried_once_more(anna: Person, servers: list[DemoServer]):
    servers[1].stop()
    servers[0].faults.add("out_of_memory", node="SaveImage", times=1)
    job = anna.completed(anna.submit("sleep", {"seconds": 0})["id"], seconds=90)
    outcomes = [(one["outcome"], one["error_code"]) for one in anna.attempts(job["id"])]
    assert outcomes.count(("retried", "out_of_memory")) == 1
    assert outcomes[-1] == ("completed", None)
    # the other one was tried, perhaps, before it was known to be gone
    assert set(outcomes[:-1]) <= {("retried", "out_of_memory"), ("retried", "server_lost")}


def test_out_of_memory_for_good_says_what_to_do(anna: Person, servers: list[DemoServer]):
    for server in servers:
        server.faults.add("out_of_memory", node="SaveImage")
    job = anna.failed(anna.submit("sleep", {"seconds": 0})["id"], seconds=90)
    assert job["error_code"] == "out_of_memory"
    outcomes = [(one["outcome"], one["error_code"]) for one in anna.attempts(job["id"])]
    assert outcomes[-1] == ("failed", "out_of_memory")
    # one more try, and no other; that a busy machine's server was taken for lost is another matter
    assert outcomes.count(("retried", "out_of_memory")) == 1
    assert set(outcomes[:-1]) <= {("retried", "out_of_memory"), ("retried", "server_lost")}
    assert "out of memory" in job["error_message"]
    assert "smaller" in job["error_message"]


@pytest.mark.parametrize("stall_minutes", [STALL_SECONDS / 60])
def test_a_server_that_answers_and_does_nothing_is_left_alone(
    app: Stand, anna: Person, servers: list[DemoServer]
):
    job = anna.submit("sleep", {"seconds": 30, "steps": 1000})
    anna.until(job["id"], lambda one: (one["progress"] or {}).get("percent"))
    url = app.sql("select comfy_url from workflow_jobs where id = %s", job["id"])[0][0]
    zombie = next(server for server in servers if server.url == url)
    zombie.faults.add("freeze_worker")
    began = time.monotonic()
    anna.until(job["id"], lambda one: one["attempt"] == 2, seconds=30)
    assert time.monotonic() - began > STALL_SECONDS / 2
    [state] = app.sql(
        "select failures, open_until > now() + interval '1 minute', last_error from comfy_servers where url = %s",
        url,
    )
    assert state[0] >= 3
    assert state[1]
    assert "Restart that ComfyUI" in state[2] or "restart that ComfyUI" in state[2]
    first = anna.attempts(job["id"])[0]
    assert first["error_code"] == "server_lost"
    assert "answers, but nothing about it has moved" in first["error_message"]
    anna.post(f"/api/jobs/{job['id']}/cancel")
    assert anna.ended(job["id"])["status"] == "cancelled"
    other = anna.completed(anna.submit("sleep", {"seconds": 0})["id"], seconds=90)
    where = app.sql("select comfy_url from workflow_jobs where id = %s", other["id"])[0][0]
    assert where != url, "it was given another job"
    zombie.faults.clear()


@pytest.mark.parametrize("stall_minutes", [STALL_SECONDS / 60])
def test_one_that_speaks_is_not_taken_for_dead(anna: Person):
    job = anna.submit("sleep", {"seconds": STALL_SECONDS * 2, "steps": 100})
    assert anna.completed(job["id"], seconds=90)["attempt"] == 1


def test_a_storage_that_is_away_for_a_moment_costs_no_second_run(
    app: Stand, anna: Person, servers: list[DemoServer]
):
    job = anna.submit("sleep", {"seconds": 0.5, "steps": 5})
    anna.until(job["id"], lambda one: one["status"] == "processing")
    aside = app.storage.with_name("aside")
    app.storage.rename(aside)
    app.storage.touch()
    anna.until(job["id"], lambda one: (one["progress"] or {}).get("stage") == "collecting")
    time.sleep(1)  # it is tried, and tried again
    assert anna.job(job["id"])["status"] == "processing"
    app.storage.unlink()
    aside.rename(app.storage)
    done = anna.completed(job["id"], seconds=90)
    assert done["attempt"] == 1
    assert anna.get(done["result_urls"][0]).status_code == 200


def test_files_that_come_slowly_come(app: Stand, anna: Person, servers: list[DemoServer]):
    for server in servers:
        server.faults.add("slow_body", route="/view", bytes_per_second=100)
    assert anna.completed(anna.submit("sleep", {"seconds": 0})["id"], seconds=90)["attempt"] == 1
