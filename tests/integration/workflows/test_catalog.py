import os
import shutil
from pathlib import Path

import pytest

from rushes.adapters.catalog import FolderCatalog
from rushes.domain.errors import UnknownWorkflow

MANIFEST = """
title = "{title}"
output = "image"
order = {order}
[[outputs]]
name = "image"
kind = "image"
node = "9"
"""
GRAPH = '{"1": {"class_type": "LoadImage", "inputs": {"image": "x"}}, "9": {"class_type": "SaveImage", "inputs": {"images": ["1", 0]}}}'


class Watch:
    """A clock that a test moves."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def put(root: Path, name: str, *, title: str = "T", order: int = 0, graph: str = GRAPH) -> Path:
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "manifest.toml").write_text(MANIFEST.format(title=title, order=order))
    (folder / "workflow.json").write_text(graph)
    return folder


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_types_come_in_order_and_a_missing_directory_is_empty(tmp_path, watch):
    put(tmp_path, "b", order=1)
    put(tmp_path, "c")
    put(tmp_path, "a", order=1)
    (tmp_path / "notes.txt").write_text("not a folder")
    (tmp_path / "drafts").mkdir()
    catalog = FolderCatalog([tmp_path, tmp_path / "nowhere"], monotonic=watch)
    assert [one.type for one in catalog.list()] == ["c", "a", "b"]
    assert catalog.broken() == {}


def test_a_later_directory_replaces_a_type(tmp_path, watch):
    put(tmp_path / "shipped", "img", title="Shipped")
    put(tmp_path / "own", "img", title="Own")
    catalog = FolderCatalog([tmp_path / "shipped", tmp_path / "own"], monotonic=watch)
    assert [one.manifest.title for one in catalog.list()] == ["Own"]


def test_changes_are_noticed_but_looked_for_once_a_second_at_most(tmp_path, watch):
    folder = put(tmp_path, "img", title="Before")
    catalog = FolderCatalog([tmp_path], monotonic=watch)
    before = catalog.get("img")
    (folder / "manifest.toml").write_text(MANIFEST.format(title="After it", order=0))
    put(tmp_path, "new")
    watch.now = 0.9
    assert catalog.get("img") is before
    watch.now = 1.1
    after = catalog.get("img")
    assert after.manifest.title == "After it"
    assert after.version != before.version
    assert [one.type for one in catalog.list()] == ["img", "new"]
    shutil.rmtree(tmp_path / "new")
    watch.now = 2.2
    assert [one.type for one in catalog.list()] == ["img"]
    assert catalog.get("img") is after, "what did not change is not read again"


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("manifest.toml", "title = ", "manifest.toml is not valid TOML"),
        ("manifest.toml", 'title = "x"', "manifest.toml: output"),
        ("workflow.json", "{", "workflow.json is not valid JSON"),
        ("workflow.json", '{"1": {"class_type": "N", "inputs": {"a": NaN}}}', "NaN is not a JSON number"),
        ("workflow.json", '{"nodes": [], "links": []}', "Workflow > Export (API)"),
        ("workflow.json", "[" * 100_000, "workflow.json is not valid JSON"),
        ("workflow.json", '{"1": ' + "[" * 100_000 + "]" * 100_000 + "}", "workflow.json"),
        ("preview.json", "[]", "preview.json: should be an object"),
        ("manifest.toml", "#" * 1_000_001, "manifest.toml is over 1 MB"),
    ],
)
def test_a_broken_folder_says_why_and_never_hides_the_others(tmp_path, watch, name, content, says):
    put(tmp_path, "good")
    (put(tmp_path, "bad") / name).write_text(content)
    catalog = FolderCatalog([tmp_path], monotonic=watch)
    assert [one.type for one in catalog.list()] == ["good"]
    assert says in catalog.broken()["bad"]
    with pytest.raises(UnknownWorkflow, match="installed but broken"):
        catalog.get("bad")


def test_a_repaired_folder_is_back(tmp_path, watch):
    folder = put(tmp_path, "img", graph="{")
    catalog = FolderCatalog([tmp_path], monotonic=watch)
    assert list(catalog.broken()) == ["img"]
    (folder / "workflow.json").write_text(GRAPH)
    watch.now = 5
    assert catalog.get("img").type == "img"


def test_links_that_lead_out_are_refused(tmp_path, watch):
    outside = put(tmp_path / "outside", "secret")
    inside = put(tmp_path / "inside", "img")
    (inside / "workflow.json").unlink()
    (inside / "workflow.json").symlink_to(outside / "workflow.json")
    (tmp_path / "inside" / "whole").symlink_to(outside)
    catalog = FolderCatalog([tmp_path / "inside"], monotonic=watch)
    assert catalog.list() == []
    assert set(catalog.broken()) == {"img", "whole"}
    assert all("leads out" in why for why in catalog.broken().values())


def test_a_pipe_or_a_wrong_name_does_not_stop_it(tmp_path, watch):
    folder = put(tmp_path, "img")
    (folder / "workflow.json").unlink()
    os.mkfifo(folder / "workflow.json")
    put(tmp_path, "Bad_Name")
    catalog = FolderCatalog([tmp_path], monotonic=watch)
    assert "not a regular file" in catalog.broken()["img"]
    assert "not usable" in catalog.broken()["Bad_Name"]


def test_unknown_types_get_the_nearest_names(tmp_path, watch):
    put(tmp_path, "lipsync-one")
    catalog = FolderCatalog([tmp_path], monotonic=watch)
    with pytest.raises(UnknownWorkflow, match="Did you mean lipsync-one"):
        catalog.get("lipsync_one")
    with pytest.raises(UnknownWorkflow, match="Installed are: lipsync-one"):
        catalog.get("\x00../../etc")
