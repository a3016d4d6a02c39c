"""The path guard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.adapters.storage.paths import guarded_path, is_plain_key
from rushes.domain.errors import InvalidRequest


def test_a_key_is_a_path_below_the_root(tmp_path):
    assert guarded_path(tmp_path, "workflows/a/b.png") == tmp_path / "workflows/a/b.png"


@given(st.text() | st.from_regex(r"[./\\a~%\x00-]{1,12}"))
def test_no_text_leads_outside(tmp_path_factory, text):
    root = tmp_path_factory.getbasetemp() / "root"
    if is_plain_key(text):
        assert guarded_path(root, text).resolve().is_relative_to(root.resolve())
        assert ".." not in text.split("/")
    else:
        with pytest.raises(InvalidRequest):
            guarded_path(root, text)


def test_links_that_lead_outside_are_refused(tmp_path):
    root, outside = tmp_path / "root", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "secret").write_text("s")
    (root / "folder").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")
    (root / "up").symlink_to("..")
    for key in ("folder/secret", "folder/new", "file", "up/outside/secret"):
        with pytest.raises(InvalidRequest, match="symbolic link"):
            guarded_path(root, key)


def test_a_root_may_itself_be_a_link(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "root").symlink_to(tmp_path / "real")
    assert guarded_path(tmp_path / "root", "a/b") == tmp_path / "root/a/b"


def test_a_long_key_is_quoted_short(tmp_path):
    with pytest.raises(InvalidRequest) as raised:
        guarded_path(tmp_path, "x\x00" * 5000)
    assert len(raised.value.message) < 250
