"""A job that doesn't end well keeps its inputs, so that it can be run again, and nothing of what it made."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rushes.domain.errors import StorageFull
from rushes.domain.keys import job_prefix
from rushes.services import collect
from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.made import picture
from tests.integration.app.person import Json, Person
from tests.integration.app.stand import Stand
from tests.integration.app.types import install, node, simple
from tests.integration.cleanup.planted import keys
from tests.integration.cleanup.test_retention import empty_outbox

IMAGE = """
[[inputs]]
name = "image"
kind = "image"
stored_as = "input"
bind = ["1.image"]
"""
MORE = "\n".join(f'[[outputs]]\nname = "more{n}"\nkind = "image"\nnode = "{n}"' for n in (3, 4))


@pytest.fixture
def demo() -> Iterator[DemoServer]:
    with DemoServer(extra_nodes=True) as server:
        yield server


@pytest.fixture
def app(postgres_server: str, demo: DemoServer, tmp_path: Path) -> Iterator[Stand]:
    save = node("SaveImage", images=["1", 0], filename_prefix="x")
    install(
        tmp_path / "types", "copies", simple("Copies", more=IMAGE) + MORE,
        {"1": node("LoadImage", image="a.png"), "2": save, "3": save, "4": save},
    )  # fmt: skip
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path / "app", comfy_urls=[demo.url], workflows_dir=tmp_path / "types") as stand,
    ):
        yield stand


def names(app: Stand, job: Json) -> list[str]:
    prefix = job_prefix("copies", job["id"])
    return [key.removeprefix(prefix) for key in keys(app, prefix)]


def until(app: Stand, job: Json, expected: list[str]) -> None:
    """Until the folder holds just that."""
    end = time.monotonic() + 20
    while (found := names(app, job)) != expected:
        assert time.monotonic() < end, found
        time.sleep(0.02)


def half_stored(app: Stand, demo: DemoServer, person: Person) -> Json:
    """A job whose server is slow: one of its three results is stored."""
    demo.faults.add("slow_body", route="/view", bytes_per_second=400)
    job = person.submit("copies", {"image": person.uploaded("a.png", picture())})
    until(app, job, ["input.png", "output.png"])
    return job


def test_failed(app: Stand, demo: DemoServer, anna: Person, monkeypatch: pytest.MonkeyPatch):
    """The disk is full when the first of the results is stored."""

    async def full(*_: object, **__: object) -> None:
        raise StorageFull("No room is left.")

    monkeypatch.setattr(collect, "STORE_PATIENCE", 0.2)
    job = half_stored(app, demo, anna)
    with monkeypatch.context() as patch:
        patch.setattr(app.at.storage, "put", full)
        demo.faults.clear()
        assert anna.failed(job["id"])["error_code"] == "storage_full"
    until(app, job, ["input.png"])
    key = job_prefix("copies", job["id"]) + "input.png"
    again = anna.completed(anna.submit("copies", {"image": {"key": key}}, parent_id=job["id"])["id"])
    anna.delete(f"/api/jobs/{job['id']}")
    assert anna.post(f"/api/jobs/{job['id']}/purge").status_code == 204
    until(app, job, [])
    assert {"input.png", "more3.png", "more4.png", "output.png"} <= set(names(app, again)), (
        "it has an input of its own"
    )


def test_cancelled(app: Stand, demo: DemoServer, anna: Person):
    job = half_stored(app, demo, anna)
    anna.post(f"/api/jobs/{job['id']}/cancel")
    assert anna.ended(job["id"])["status"] == "cancelled"
    until(app, job, ["input.png"])


def test_cancelled_between_two_attempts(
    app: Stand, demo: DemoServer, anna: Person, monkeypatch: pytest.MonkeyPatch
):
    """Nobody runs it then: the row's own trigger sees to it."""
    monkeypatch.setattr(collect, "STORE_PATIENCE", 0.2)
    job = half_stored(app, demo, anna)
    demo.faults.clear()
    demo.faults.add("drop", route="/view")
    anna.until(job["id"], lambda one: one["status"] == "pending")
    demo.stop()
    assert "output.png" in names(app, job)
    anna.post(f"/api/jobs/{job['id']}/cancel")
    ended = anna.ended(job["id"])
    assert (ended["status"], ended["attempt"]) == ("cancelled", 1)
    empty_outbox(app)
    until(app, job, ["input.png"])
