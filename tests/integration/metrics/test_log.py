"""A job's id finds its whole life in the logs of all processes, and no log holds a prompt or a secret."""

import io
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from rushes import observability
from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.made import picture
from tests.integration.app.processes import Process
from tests.integration.app.stand import Stand

SECRET = "a secret fox in the snow"
Line = dict[str, Any]
Dispatch = Callable[..., Process]


def lines(text: str) -> list[Line]:
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def about(text: str, job_id: str) -> list[Line]:
    return [line for line in lines(text) if line.get("job_id") == job_id]


def steps(text: str, job_id: str) -> list[str]:
    return [line["event"] for line in about(text, job_id)]


def until(suits: Callable[[], bool], *, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not suits():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def app(
    postgres_server: str, demo: DemoServer, own_types: Path, log: Path, tmp_path: Path
) -> Iterator[Stand]:
    """The API alone."""
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path / "app", comfy_urls=[demo.url], workflows_dir=own_types, dispatchers=0) as stand,
    ):
        yield stand


@pytest.fixture
def dispatch(app: Stand, own_types: Path, tmp_path: Path) -> Dispatch:
    """A dispatcher as a process of its own, not started yet."""

    def made(*arguments: str, level: str = "info,json") -> Process:
        return Process(
            tmp_path, "dispatch", *arguments, data_dir=app.folder, database_url=app.database_url,
            workflows_dir=own_types, lease_seconds=2, log=level,
        )  # fmt: skip

    return made


def test_a_job_from_submitted_to_completed(app: Stand, log: Path, dispatch: Dispatch, demo: DemoServer):
    anna = app.person()
    with dispatch() as process:
        upload = anna.upload("fox.png", picture())
        job = anna.submit("img2img", {"image": {"upload_id": upload["id"]}, "prompt": SECRET, "seed": 7})
        anna.completed(job["id"])
        failed = anna.failed(anna.submit("failing")["id"])
        until(lambda: "job completed" in steps(process.said(), job["id"]))
        here, there = log.read_text(), process.said()

    [submitted] = about(here, job["id"])
    assert (submitted["event"], submitted["user_id"]) == ("job submitted", anna.id)
    [request] = [
        one
        for one in lines(here)
        if one["event"] == "request" and one["request_id"] == submitted["request_id"]
    ]
    assert (request["method"], request["path"], request["status"]) == ("POST", "/api/jobs", 201)
    assert request["user_id"] == anna.id

    told = about(there, job["id"])
    assert [one["event"] for one in told] == [
        "job claimed", "job sent", "job executed", "job stored", "job completed",
    ]  # fmt: skip
    for one in told:
        assert (one["attempt"], one["server"], one["user_id"]) == (1, demo.url, anna.id)
    assert told[0]["dispatcher"]
    assert [one["seconds"] for one in told[1:3]] == sorted(one["seconds"] for one in told[1:3])
    assert told[-1]["age"] >= told[-1]["seconds"] > 0
    size = sum(file["size_bytes"] for file in anna.job(job["id"])["outputs"]["files"])
    assert (told[3]["files"], told[3]["bytes"]) == (1, size)

    *_, ending = about(there, failed["id"])
    assert (ending["event"], ending["code"], ending["node_class"]) == (
        "job failed",
        "node_error",
        "RushesDemoFail",
    )
    assert SECRET not in here + there
    assert "a secret fox" in failed["error_message"]
    assert "a secret fox" not in here + there
    token = anna.headers["authorization"].split()[1]
    assert token not in here + there


def test_taken_over_and_cancelled(app: Stand, log: Path, dispatch: Dispatch):
    anna = app.person()
    with dispatch() as first:
        job = anna.submit("sleep", {"seconds": 60, "steps": 1200})["id"]
        until(lambda: "job sent" in steps(first.said(), job))
        first.send(signal.SIGKILL)
        first.ended()
    with dispatch("--metrics-port", "0") as second:
        until(lambda: "job taken over" in steps(second.said(), job))
        anna.post(f"/api/jobs/{job}/cancel")
        anna.until(job, lambda row: row["status"] == "cancelled")
        until(lambda: "job cancelled" in steps(second.said(), job))
        [asked] = [one for one in about(log.read_text(), job) if one["event"] == "job cancel asked"]
        assert (asked["status"], asked["user_id"]) == ("processing", anna.id)
        address = second.until_said("Metrics: ").partition(": ")[2]
        text = anna.get(address).text
    assert 'rushes_jobs_taken_over_total{server="http' in text
    assert 'outcome="cancelled"' in text
    assert "rushes_http_requests" in text
    assert "rushes_dispatchers " not in text, "figures of the database are on the API's page"


def test_a_port_that_is_taken(app: Stand, dispatch: Dispatch):
    port = app.url.rpartition(":")[2]
    with dispatch("--metrics-port", port) as process:
        assert process.ended(seconds=30) == 1
        assert "Choose another with --metrics-port" in process.said()


def test_the_level_is_kept(app: Stand, dispatch: Dispatch):
    anna = app.person()
    with dispatch(level="error,json") as process:
        anna.completed(anna.submit("sleep")["id"])
        assert lines(process.said()) == []


def test_nothing_in_a_terminal_but_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Control characters of names and paths, and the values of variables in a traceback."""
    before, said = structlog.get_config(), tmp_path / "log"
    with said.open("w") as file, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", file)
        observability.configure("info,console")
        try:
            broken()
        except ValueError:
            structlog.get_logger().exception("it broke", path="/a\x1b[2J\r\nb")
        structlog.configure(**before)
    text = said.read_text()
    assert "\\x1b[2J\\x0d\\x0ab" in text
    assert "\x1b" not in text
    assert "ValueError: no" in text
    assert "hunter2" not in text


def broken() -> None:
    password_here = "".join(("hun", "ter2"))
    raise ValueError("no" if password_here else "")


def test_a_line_that_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch):
    """The terminal is closed, or `rushes up | head` has seen enough: the work goes on."""
    before = structlog.get_config()
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "wb", buffering=0) as raw, monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", io.TextIOWrapper(raw, write_through=True))
        observability.configure("info,json")
        for _ in range(3):
            structlog.get_logger().info("nobody reads this", filler="x" * 10_000)
        structlog.configure(**before)
    structlog.get_logger().debug("and it can be set up anew")
