"""Processes that are killed, stopped and started again in the middle of a job; a database that goes away."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
from psycopg import sql

from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.demo_view import at_hand, prompts
from tests.integration.app.person import Person, names
from tests.integration.app.processes import Process
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, sleeper_graph
from tests.postgres import in_database

LEASE = 2

Dispatch = Callable[[], Process]


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer(extra_nodes=True) as server:
        yield server


@pytest.fixture
def own_types(tmp_path: Path) -> Path:
    install(tmp_path / "types", "sleep", SLEEPER, sleeper_graph())
    return tmp_path / "types"


@pytest.fixture
def app(postgres_server: str, demo: DemoServer, own_types: Path, tmp_path: Path) -> Iterator[Stand]:
    """The API alone, over a database of the test's own."""
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path / "app", comfy_urls=[demo.url], workflows_dir=own_types, dispatchers=0) as stand,
    ):
        yield stand


@pytest.fixture
def dispatch(app: Stand, own_types: Path, tmp_path: Path) -> Dispatch:
    """A dispatcher as a process of its own, not started yet."""

    def made() -> Process:
        return Process(
            tmp_path, "dispatch", data_dir=app.folder, database_url=app.database_url,
            workflows_dir=own_types, lease_seconds=LEASE,
        )  # fmt: skip

    return made


def until(suits: Callable[[], Any], what: str, *, seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not suits():
        assert time.monotonic() < end, what
        time.sleep(0.02)


def running(person: Person, demo: DemoServer, seconds: float) -> Any:
    """A job that ComfyUI is at work on."""
    job = person.submit("sleep", {"seconds": seconds})
    return person.until(
        job["id"], lambda one: one["status"] == "processing" and at_hand(demo) == [one["job_id"]]
    )


def done_once(app: Stand, demo: DemoServer, anna: Person, job: dict[str, Any]) -> None:
    """It completes by the attempt it was in, and ComfyUI worked once."""
    done = anna.completed(job["id"])
    assert (done["attempt"], done["job_id"]) == (1, job["job_id"])
    assert prompts(demo) == {job["job_id"]: "success"}
    assert names(done["outputs"]["files"]) == ["output.png"]
    assert anna.get(done["result_urls"][0]).status_code == 200
    assert len(anna.attempts(job["id"])) == 1
    until(lambda: not app.sql("select * from workflow_job_leases"), "a slot is leaked")
    kinds = [
        row[0]
        for row in app.sql("select data->>'to' from workflow_job_events where kind = 'status' order by id")
    ]
    assert kinds == ["processing", "completed"]


def test_kill_9_of_everything_then_start_again(
    postgres_server: str, demo: DemoServer, own_types: Path, tmp_path: Path
):
    """`rushes up` is killed while ComfyUI works, and the next one finishes the job without running it again."""
    with app_database(postgres_server) as url, Stand(url, tmp_path / "app", dispatchers=0) as app:
        settings = {
            "data_dir": app.folder, "database_url": url, "comfy_urls": demo.url, "workflows_dir": own_types,
            "lease_seconds": LEASE,
        }  # fmt: skip
        up = ("up", "--port", "0", "--no-browser")
        with Process(tmp_path, *up, **settings) as first:
            address = first.until_said("Rushes is up").split()[-1]
            person = Person(address)
            person.headers["Authorization"] = f"Bearer {person.post('/api/auth/anonymous').json()['token']}"
            job = running(person, demo, 2)
            first.send(signal.SIGKILL)
            first.ended()
            person.close()
        assert app.sql("select status, attempt from workflow_jobs") == [("processing", 1)]
        with Process(tmp_path, *up, **settings) as second:
            again = Person(second.until_said("Rushes is up").split()[-1])
            again.headers = person.headers
            done_once(app, demo, again, job)
            again.close()
            second.send(signal.SIGTERM)
            assert second.ended() == 0 or "Stopped" in second.said()


def test_one_that_was_paused_past_its_lease_writes_nothing(
    app: Stand, demo: DemoServer, anna: Person, dispatch: Dispatch
):
    with dispatch() as first:
        first.until_said("Dispatching as")
        job = running(anna, demo, 2)
        token = app.sql("select lease_token from workflow_job_leases")[0][0]
        first.send(signal.SIGSTOP)
        with dispatch() as second:
            until(
                lambda: app.sql("select true from workflow_job_leases where lease_token > %s", token),
                "no take-over",
            )
            done_once(app, demo, anna, job)
            before = (
                app.sql("select version, updated_at, outputs from workflow_jobs"),
                app.sql("select count(*) from workflow_job_events"),
            )
            first.send(signal.SIGCONT)
            first.until_said("lease lost")
            other = anna.completed(anna.submit("sleep", {"seconds": 0})["id"])
            assert other["attempt"] == 1
            first.send(signal.SIGTERM)
            first.ended()
            after = app.sql("select version, updated_at, outputs from workflow_jobs where id = %s", job["id"])
            assert [row[0] for row in after] == [row[0] for row in before[0]]
            second.send(signal.SIGTERM)
            second.ended()


def test_sigterm_hands_back_at_once(
    app: Stand, demo: DemoServer, anna: Person, own_types: Path, tmp_path: Path
):
    long_lease = {
        "data_dir": app.folder,
        "database_url": app.database_url,
        "workflows_dir": own_types,
        "lease_seconds": 600,
    }
    with Process(tmp_path, "dispatch", **long_lease) as first:
        first.until_said("Dispatching as")
        job = running(anna, demo, 5)
        first.send(signal.SIGTERM)
        first.ended(seconds=8)
        assert anna.job(job["id"])["status"] == "processing"
        assert app.sql("select count(*) from dispatchers") == [(0,)]
    with Process(tmp_path, "dispatch", **long_lease):
        done_once(app, demo, anna, job)


def test_a_job_whose_server_was_taken_out_meanwhile(
    app: Stand, demo: DemoServer, anna: Person, dispatch: Dispatch
):
    with dispatch() as first:
        first.until_said("Dispatching as")
        job = running(anna, demo, 2)
        first.send(signal.SIGKILL)
        first.ended()
    app.sql("update comfy_servers set enabled = false")
    with dispatch():
        done_once(app, demo, anna, job)


@contextmanager
def database_away(url: str, server_url: str) -> Iterator[None]:
    """Nobody can connect, and everybody who was connected is thrown out."""
    name = sql.Identifier(urlsplit(url).path[1:])
    with psycopg.connect(in_database(server_url, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("alter database {} with allow_connections false").format(name))
        connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where datname = %s",
            (urlsplit(url).path[1:],),
        )
        try:
            yield
        finally:
            connection.execute(sql.SQL("alter database {} with allow_connections true").format(name))


def test_a_database_that_is_away_for_a_moment_costs_no_job(
    postgres_server: str, demo: DemoServer, own_types: Path, tmp_path: Path
):
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path / "app", comfy_urls=[demo.url], workflows_dir=own_types, lease_seconds=5) as app,
    ):
        anna = app.person()
        job = running(anna, demo, 1)
        with database_away(url, postgres_server):
            until(lambda: prompts(demo), "ComfyUI does not finish")
            assert anna.get("/healthz").status_code == 200
            ready = anna.get("/readyz")
            assert (ready.status_code, ready.json()["parts"]["database"]["ok"]) == (503, False)
            time.sleep(1)  # it tries to write the end of the job
        anna.until_answered()
        done = anna.completed(job["id"])
        assert done["attempt"] == 1
        assert prompts(demo) == {job["job_id"]: "success"}
        assert anna.completed(anna.submit("sleep", {"seconds": 0})["id"])["attempt"] == 1
