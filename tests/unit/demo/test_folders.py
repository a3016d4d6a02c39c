"""Where files go and come from."""

from pathlib import Path

import pytest

from rushes.testing.comfyui.folders import Folders, OutsideOutput, split_annotation


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    made = Folders(tmp_path)
    made.create()
    return made


@pytest.mark.parametrize(
    ("name", "plain", "kind"),
    [
        ("x.png", "x.png", None),
        ("a/x.png [output]", "a/x.png", "output"),
        ("x.png[temp]", "x.png", "temp"),
        ("x [other].png", "x [other].png", None),
        ("x.png [elsewhere]", "x.png [elsewhere]", None),
    ],
)
def test_annotations(name: str, plain: str, kind: str | None) -> None:
    assert split_annotation(name) == (plain, kind)


def test_numbers_go_on_after_the_highest_whatever_the_ending(folders: Folders) -> None:
    (folders["output"] / "a_00007_.png").touch()
    (folders["output"] / "a_00009.flac").touch()
    (folders["output"] / "ab_00050_.png").touch()
    place = folders.save_path("a")
    assert (place.name("_.png"), place.name(".txt", offset=2)) == ("a_00010_.png", "a_00012.txt")


@pytest.mark.parametrize("prefix", ["../x", "/etc/x", "a/../../x"])
def test_a_prefix_stays_in_the_output_folder(folders: Folders, prefix: str) -> None:
    with pytest.raises(OutsideOutput, match="outside the output folder"):
        folders.save_path(prefix)


def test_temp_is_emptied_at_every_start(folders: Folders) -> None:
    (folders["temp"] / "x").touch()
    (folders["input"] / "x").touch()
    folders.create()
    assert not (folders["temp"] / "x").exists()
    assert (folders["input"] / "x").exists()
