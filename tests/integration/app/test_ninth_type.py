"""A workflow type is a folder: put there while the app runs, it is in the API, the form and the feed, and runs."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.person import Person, error_of, names
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, sleeper_graph

SHIPPED = {
    "lipsync-one", "lipsync-multi", "video-lipsync", "wan-i2v", "img2img", "style-transfer", "image-edit",
    "character-caption",
}  # fmt: skip


@pytest.fixture
def types(tmp_path: Path) -> Path:
    (tmp_path / "types").mkdir()
    return tmp_path / "types"


@pytest.fixture
def app(postgres_server: str, demo: DemoServer, types: Path, tmp_path: Path) -> Iterator[Stand]:
    with (
        app_database(postgres_server) as url,
        Stand(url, tmp_path / "app", comfy_urls=[demo.url], workflows_dir=types) as stand,
    ):
        yield stand


def until_listed(person: Person, wanted: set[str]) -> Any:
    end = time.monotonic() + 10
    while True:
        listed = person.get("/api/workflows").json()
        if {one["type"] for one in listed["data"]} == wanted:
            return listed
        assert time.monotonic() < end, [one["type"] for one in listed["data"]]
        time.sleep(0.05)


def test_a_folder_is_a_type(app: Stand, types: Path):
    anna = app.person()
    until_listed(anna, SHIPPED)
    assert error_of(anna.post("/api/jobs", json={"workflow_type": "sleep"}))["code"] == "unknown_workflow"

    install(types, "sleep", SLEEPER, sleeper_graph())
    listed = until_listed(anna, SHIPPED | {"sleep"})
    (card,) = [one for one in listed["data"] if one["type"] == "sleep"]
    assert (card["title"], card["output_kind"]) == ("Sleep", "image")
    detail = anna.get("/api/workflows/sleep").json()
    assert set(detail["schema"]["properties"]) == {"seconds", "steps", "seed"}
    assert detail["schema"]["properties"]["seconds"]["maximum"] == 600
    assert detail["graphs"] == ["workflow.json"]

    job = anna.completed(anna.submit("sleep", {"seconds": 0.1})["id"])
    assert names(job["outputs"]["files"]) == ["output.png"]
    found = anna.get("/api/jobs", params={"workflow_type": "sleep"}).json()["data"]
    assert [one["id"] for one in found] == [job["id"]]
    assert anna.get("/api/jobs/counts").json()["data"]["workflow_type"]["sleep"]["count"] == 1

    # changed while it runs: the next job is of the new kind, with another version
    install(types, "sleep", SLEEPER.replace("max = 600", "max = 60"), sleeper_graph())
    end = time.monotonic() + 10
    while anna.get("/api/workflows/sleep").json()["schema"]["properties"]["seconds"]["maximum"] != 60:
        assert time.monotonic() < end
        time.sleep(0.05)
    fields = error_of(anna.post("/api/jobs", json={"workflow_type": "sleep", "inputs": {"seconds": 61}}))[
        "details"
    ]
    assert list(fields["fields"]) == ["seconds"]
    changed = anna.completed(anna.submit("sleep", {"seconds": 0})["id"])
    assert changed["workflow_version"] != job["workflow_version"]

    # broken: it says why, hides no other, and is back when it is mended
    (types / "sleep" / "manifest.toml").write_text("title = ")
    listed = until_listed(anna, SHIPPED)
    assert "manifest.toml" in listed["broken"]["sleep"]
    answer = anna.post("/api/jobs", json={"workflow_type": "sleep"})
    assert "broken" in error_of(answer)["message"]
    assert anna.job(job["id"])["status"] == "completed"
    (types / "sleep" / "manifest.toml").write_text(SLEEPER)
    until_listed(anna, SHIPPED | {"sleep"})

    # gone: its jobs stay to be seen
    shutil.rmtree(types / "sleep")
    until_listed(anna, SHIPPED)
    assert anna.get(job["result_urls"][0]).status_code == 200
