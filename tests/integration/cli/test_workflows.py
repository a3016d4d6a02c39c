"""rushes workflows: what is installed, what it takes, and what is wrong with it."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.cli.rushes import Rushes

SHIPPED = Path(__file__).parents[3] / "workflows"
EIGHT = {
    "lipsync-one", "lipsync-multi", "video-lipsync", "wan-i2v",
    "img2img", "style-transfer", "image-edit", "character-caption",
}  # fmt: skip


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A demo server of the tests' own."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("demo")
    process = subprocess.Popen(
        [sys.executable, "-m", "rushes.testing.comfyui", "--port", str(port), "--base-directory", str(folder), "--extra-nodes"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            break
        except OSError:
            time.sleep(0.05)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait()


def broken_folder(folder: Path, **files: str) -> Path:
    (folder / "mine").mkdir(parents=True)
    for name, content in files.items():
        (folder / "mine" / name.replace("_", ".")).write_text(content)
    return folder


def test_the_eight_are_listed(nowhere: Rushes) -> None:
    listed = nowhere.run("workflows", "list")
    assert {line.split("\t")[0] for line in listed.out.splitlines()} == EIGHT
    assert {one["type"] for one in json.loads(nowhere.run("workflows", "list", "--json").out)} == EIGHT


def test_a_type_is_shown_as_submit_takes_it(nowhere: Rushes) -> None:
    shown = nowhere.run("workflows", "show", "lipsync-multi").out
    assert "speakers.N.mask" in shown
    rows = {line.split("\t")[0]: line.split("\t") for line in shown.splitlines() if "\t" in line}
    assert rows["width"][3:] == ["640", "256 … 1280"]
    assert rows["image"][2] == "yes"
    assert json.loads(nowhere.run("workflows", "show", "img2img", "--json").out)["type"] == "object"
    assert "Did you mean img2img?" in nowhere.run("workflows", "show", "img2im").err


def test_the_shipped_ones_can_work(nowhere: Rushes) -> None:
    done = nowhere.run("workflows", "check")
    assert done.code == 0, done
    assert "8 checked, 0 can't work" in done.err
    assert json.loads(nowhere.run("workflows", "check", "img2img", "--json").out)["broken"] == {}


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"manifest_toml": "title = ["}, "manifest.toml"),
        (
            {
                "manifest_toml": 'title = "x"\noutput = "image"\n',
                "workflow_json": '{"nodes": [], "links": []}',
            },
            "Export (API)",
        ),
        ({"manifest_toml": 'title = "x"\noutput = "image"\n', "workflow_json": "{"}, "workflow.json"),
        ({"manifest_toml": 'title = "x"\noutput = "image"\n'}, "workflow.json"),
    ],
)
def test_a_broken_folder_is_named_and_hides_no_other(
    nowhere: Rushes, tmp_path: Path, files: dict[str, str], words: str
) -> None:
    own = broken_folder(tmp_path / "own", **files)
    checked = nowhere.run("workflows", "check", "--dir", str(own))
    assert checked.code == 1
    assert "mine: " in checked.out
    assert words in checked.out
    listed = nowhere.run("workflows", "list", RUSHES_WORKFLOWS_DIR=str(own))
    assert len(listed.out.splitlines()) == 8
    assert words in listed.err
    shown = nowhere.run("workflows", "show", "mine", RUSHES_WORKFLOWS_DIR=str(own))
    assert (shown.code, words in shown.err) == (1, True)


def test_a_graph_with_a_node_that_is_nowhere_cannot_work(nowhere: Rushes, tmp_path: Path) -> None:
    shutil.copytree(SHIPPED / "img2img", tmp_path / "own" / "img2img")
    preview = tmp_path / "own" / "img2img" / "preview.json"
    graph = json.loads(preview.read_text())
    next(node for node in graph.values() if node["class_type"] == "SaveImage")["class_type"] = "SaveImagee"
    preview.write_text(json.dumps(graph))
    done = nowhere.run("workflows", "check", "--dir", str(tmp_path / "own"))
    assert done.code == 1
    assert "SaveImagee" in done.out
    assert "can't work: img2img" in done.err


def test_a_folder_that_is_not_there_is_a_mistake(nowhere: Rushes, tmp_path: Path) -> None:
    done = nowhere.run("workflows", "check", "--dir", str(tmp_path / "nowhere"))
    assert done.code == 2
    empty = nowhere.run("workflows", "check", "--dir", str(tmp_path))
    assert empty.code == 1, "nothing to check is no success"


def test_a_live_server_is_the_measure_when_it_is_named(nowhere: Rushes, demo: str) -> None:
    done = nowhere.run("workflows", "check", "img2img", "--server", demo, "--json")
    problems = json.loads(done.out)["problems"]
    assert {one["comfyui"] for one in problems} <= {demo}
    assert not [one for one in problems if one["graph"] == "preview.json" and one["level"] == "error"]


@pytest.mark.parametrize(
    ("server", "words"), [("http://127.0.0.1:1", "127.0.0.1:1"), ("ftp://x", "http://127.0.0.1:8188")]
)
def test_a_server_that_is_none_is_said_so(nowhere: Rushes, server: str, words: str) -> None:
    done = nowhere.run("workflows", "check", "--server", server)
    assert (done.code, words in done.err) == (1, True)
