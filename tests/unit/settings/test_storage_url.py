"""RUSHES_STORAGE_URL: what can be said, what is refused, and that no secret is shown."""

import os
from pathlib import Path

import pytest

from rushes.adapters.storage.address import FolderAddress, S3Address, SupabaseAddress
from rushes.adapters.storage.local import LocalStorage
from rushes.adapters.storage.s3 import S3Keys, S3Place, S3Storage
from rushes.adapters.storage.supabase import SupabaseStorage
from rushes.bootstrap.storing import _store, s3_place, storage_in_words
from rushes.domain.errors import InvalidSetting
from rushes.settings import load

SECRET = "hunter2-hunter2"
SUPABASE = {"supabase_url": "https://x.supabase.co", "supabase_secret_key": SECRET}
KEYS = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": SECRET}


@pytest.fixture(autouse=True)
def empty_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("RUSHES_", "SUPABASE_", "AWS_"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("file:///big%20disk/x", FolderAddress(Path("/big disk/x"))),
        ("s3://my-bucket", S3Address("my-bucket")),
        ("s3://my.bucket/?region=eu-central-1", S3Address("my.bucket", region="eu-central-1")),
        (
            "s3://bucket?endpoint=https%3A%2F%2Fs3.example.com&style=virtual",
            S3Address("bucket", endpoint="https://s3.example.com", virtual_host=True),
        ),
        ("s3://bucket?endpoint=http://127.0.0.1:9000", S3Address("bucket", endpoint="http://127.0.0.1:9000")),
    ],
)
def test_what_can_be_said(url, expected):
    assert load(storage_url=url).storage == expected


def test_supabase_needs_its_project_and_a_key(monkeypatch):
    assert load(storage_url="supabase://workflows", **SUPABASE).storage == SupabaseAddress("workflows")
    monkeypatch.setenv("RUSHES_STORAGE_URL", "supabase://workflows")
    with pytest.raises(InvalidSetting, match="RUSHES_STORAGE_URL: supabase://… needs SUPABASE_URL too"):
        load()
    monkeypatch.setenv("SUPABASE_URL", "https://x.supabase.co")
    with pytest.raises(InvalidSetting, match="needs SUPABASE_SECRET_KEY too"):
        load()
    monkeypatch.setenv("SUPABASE_SECRET_KEY", SECRET)
    assert SECRET not in f"{load()!r}{load().model_dump()}"


@pytest.mark.parametrize(
    "url",
    [
        "", "/data", "file://host/path", "file:///", "http://x/y", "ftp://x", "s3://", "s3://UPPER", "s3://a",
        "s3://bucket/folder", "s3://bucket?region=", "s3://bucket?endpoint=nowhere", "s3://bucket?endpoint=http://[",
        "s3://bucket?endpoint=http://h/path", "s3://bucket?endpiont=http://h", "s3://bucket?style=odd",
        "s3://bucket?endpoint=http://h:port", "file:///x?y=z", "supabase://", "supabase://a/b", "supabase://a?b=c",
        f"s3://key:{SECRET}@bucket", f"s3://bucket?endpoint=https://u:{SECRET}@h", f"supabase://{SECRET}@b",
    ],
)  # fmt: skip
def test_what_is_refused(url):
    with pytest.raises(InvalidSetting, match="RUSHES_STORAGE_URL: ") as caught:
        load(storage_url=url, **SUPABASE)
    assert SECRET not in caught.value.message


def test_the_usual_variables_of_aws():
    environment = {
        **KEYS,
        "AWS_SESSION_TOKEN": "t",
        "AWS_REGION": "eu-west-1",
        "AWS_ENDPOINT_URL": "http://general:1",
        "AWS_ENDPOINT_URL_S3": "http://s3:1",
    }
    keys = S3Keys("id", SECRET, "t")
    assert s3_place(S3Address("b"), environment) == S3Place(
        bucket="b", region="eu-west-1", endpoint="http://s3:1", keys=keys
    )
    own = S3Address("b", endpoint="http://own:1", region="own-1")
    assert s3_place(own, environment) == S3Place(
        bucket="b", region="own-1", endpoint="http://own:1", keys=keys
    )
    assert s3_place(S3Address("b"), {}) == S3Place(bucket="b")
    with pytest.raises(InvalidSetting, match="belong together"):
        s3_place(S3Address("b"), {"AWS_SECRET_ACCESS_KEY": SECRET})


def test_the_adapter_that_is_meant():
    assert isinstance(_store(load(), {}), LocalStorage)
    assert isinstance(_store(load(storage_url="s3://bucket"), KEYS), S3Storage)
    assert isinstance(_store(load(storage_url="supabase://b", **SUPABASE), {}), SupabaseStorage)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"storage_url": "s3://bucket"}, "https://s3.us-east-1.amazonaws.com"),
        ({"storage_url": "s3://bucket", "storage_direct": "off"}, None),
        ({"storage_url": "s3://bucket?endpoint=http://minio:9000"}, None),
        (
            {"storage_url": "s3://bucket?endpoint=http://minio:9000", "storage_direct": "on"},
            "http://minio:9000",
        ),
        ({"storage_url": "s3://bucket?endpoint=http://localhost:9000"}, "http://localhost:9000"),
        (
            {
                "storage_url": "s3://bucket?endpoint=http://127.0.0.1:9000",
                "public_url": "https://rushes.example",
            },
            None,
        ),
        ({"storage_url": "supabase://b", **SUPABASE}, "https://x.supabase.co"),
        ({}, None),
    ],
)
def test_whether_browsers_are_sent_to_the_store(given, expected):
    assert _store(load(**given), KEYS).signed_origin == expected


def test_where_files_are_in_words():
    assert storage_in_words(load(), {}) == ".rushes/storage"
    assert storage_in_words(load(storage_url="s3://bucket"), KEYS) == (
        "bucket bucket at https://s3.us-east-1.amazonaws.com"
    )
    found = storage_in_words(load(storage_url="supabase://b", **SUPABASE), {})
    assert found == "bucket b at https://x.supabase.co"
