"""Object keys: whatever a file is called, its key is plain, and only keys of that kind are believed."""

import re
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.keys import (
    attempt_suffix,
    is_valid_key,
    job_key,
    job_prefix,
    public_url,
    safe_name,
    upload_key,
)

PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*")
JOB = "01a202ba-5e15-7ba5-b16c-af586c758555"


@given(st.text(max_size=400))
def test_every_name_becomes_a_plain_one(filename: str) -> None:
    name = safe_name(filename)
    assert PLAIN.fullmatch(name)
    assert len(name) <= 100
    assert is_valid_key(job_key("img2img", JOB, name))


@given(st.text(max_size=400))
def test_a_safe_name_stays_as_it_is(filename: str) -> None:
    assert safe_name(safe_name(filename)) == safe_name(filename)


@pytest.mark.parametrize(
    ("filename", "expected"),
    [
        ("face.png", "face.png"),
        ("Mein schönes Foto (2).JPG", "Mein-schones-Foto-2.JPG"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\fakepath\\cat.webp", "cat.webp"),
        (".htaccess", "file.htaccess"),
        ("", "file"),
        ("...", "file"),
        ("日本語.mp4", "file.mp4"),
        ("😀", "file"),
        ("a\x00b.png", "a-b.png"),
        ("tar.gz", "tar.gz"),
        ("x" * 300 + ".png", "x" * 96 + ".png"),
        ("a" * 300, "a" * 99),
        ("name." + "e" * 50, "name.eeeeeeeeee"),
    ],
)
def test_names_stay_recognisable(filename: str, expected: str) -> None:
    assert safe_name(filename) == expected


@pytest.mark.parametrize(
    "key",
    [
        "", "/", "a/", "/a", "a//b", "..", "../a", "a/../b", "a/./b", "a/..", ".", "a\\b", "a b", "a\x00", "a\n",
        "é", "a%2e%2e/b", "x" * 513,
    ],
)  # fmt: skip
def test_a_key_that_we_never_make_is_refused(key: str) -> None:
    assert not is_valid_key(key)


@given(st.text(alphabet="ab./\\%\x00 ~", max_size=40))
def test_no_valid_key_leaves_its_folder(key: str) -> None:
    if is_valid_key(key):
        parts = key.split("/")
        assert all(parts)
        assert not {".", ".."} & set(parts)
        assert not set(key) & set("\\%\x00 ~")


def test_the_layout_and_its_url_share_their_words() -> None:
    key = job_key("img2img", JOB, "output.png")
    assert key == f"workflows/img2img/{JOB}/output.png"
    assert key.startswith(job_prefix("img2img", JOB))
    assert public_url(key) == f"/storage/workflows/img2img/{JOB}/output.png"


def test_uploads_are_apart_by_owner_and_upload() -> None:
    user, first, second = uuid4(), uuid4(), uuid4()
    assert upload_key(user, first, "../a.png") == f"uploads/{user}/{first}/a.png"
    assert upload_key(user, first, "a.png") != upload_key(user, second, "a.png")


def test_a_later_attempt_overwrites_nothing() -> None:
    suffixes = [attempt_suffix(n) for n in range(1, 5)]
    assert suffixes == ["", "-2", "-3", "-4"]
