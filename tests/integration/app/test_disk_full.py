"""A disk that is full while results are stored."""

import subprocess
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from rushes.services import collect
from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.made import picture
from tests.integration.app.person import error_of
from tests.integration.app.stand import Stand


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 72 MB: under 64 MB of room /readyz says that it is full."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=72m", "none", str(place)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root can mount a small disk")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def fill(disk: Path) -> Path:
    """Until not one more byte fits."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file:
        for size in (65_536, 4096, 1):
            with suppress(OSError):
                while True:
                    file.write(b"x" * size)
    return filler


def test_a_full_disk_is_said_and_can_be_mended(
    postgres_server: str, demo: DemoServer, own_types: Path, small_disk: Path, tmp_path: Path, monkeypatch
):
    monkeypatch.setattr(collect, "STORE_PATIENCE", 1.5)
    with (
        app_database(postgres_server) as url,
        Stand(
            url, tmp_path / "app", comfy_urls=[demo.url], workflows_dir=own_types,
            storage_url=f"file://{small_disk}/storage",
        ) as app,
    ):  # fmt: skip
        anna = app.person()
        upload = anna.uploaded("a.png", picture())
        asked = {"image": upload, "prompt": "x"}
        job = anna.submit("sleep", {"seconds": 0.5, "steps": 5})
        waiting = anna.submit("img2img", asked)
        filler = fill(small_disk)

        failed = anna.failed(job["id"])
        assert failed["error_code"] == "storage_full"
        assert "full" in failed["error_message"]
        assert failed["attempt"] == 1  # no GPU is made to work again for it
        assert anna.failed(waiting["id"])["error_code"] == "storage_full"

        refused = anna.post("/api/uploads", json={"filename": "b.png", "size_bytes": len(picture())})
        refused = anna.put(refused.json()["put_url"], content=picture())
        assert (refused.status_code, error_of(refused)["code"]) == (507, "storage_full")
        ready = anna.get("/readyz")
        assert ready.status_code == 503
        assert ready.json()["parts"]["storage"]["ok"] is False
        kept = {path.name for path in small_disk.rglob("*") if path.is_file()} - {"filler"}
        assert kept == {"a.png", "input.png"}, "half a file stayed"

        filler.unlink()
        assert anna.get("/readyz").status_code == 200
        again = anna.completed(anna.submit("sleep", {"seconds": 0})["id"])
        assert anna.get(again["result_urls"][0]).status_code == 200
        assert anna.completed(anna.submit("img2img", asked)["id"])["attempt"] == 1
