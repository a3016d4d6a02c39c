"""Rows against objects: what was planted is found, nothing else is, and only what is safe is repaired."""

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from rushes.domain.keys import job_key, upload_key, upload_parts_prefix
from rushes.services.storage_check import StorageCheck
from rushes.services.storage_findings import Finding, Found
from tests.contract.storage.moto_server import KEYS, new_place, s3_server
from tests.contract.storage.real_supabase import new_bucket
from tests.contract.storage.stand_in import SERVICE_KEY, stand_in
from tests.integration.app.database import app_database
from tests.integration.app.stand import Stand
from tests.integration.cleanup.planted import job, keys, new_id, person, put
from tests.integration.cleanup.test_retention import empty_outbox


@pytest.fixture(params=["local", "s3", "supabase"])
def store(request: pytest.FixtureRequest, postgres_server: str, tmp_path: Path) -> Iterator[Stand]:
    """An app on each kind of store, where nothing happens by itself."""
    with ExitStack() as stack:
        settings: dict[str, Any] = {}
        if request.param == "s3":
            server = stack.enter_context(s3_server())
            patch = stack.enter_context(pytest.MonkeyPatch.context())
            patch.setenv("AWS_ACCESS_KEY_ID", KEYS.access_key_id)
            patch.setenv("AWS_SECRET_ACCESS_KEY", KEYS.secret_access_key)
            settings = {"storage_url": f"s3://{new_place(server).bucket}?endpoint={server}"}
        if request.param == "supabase":
            project = stack.enter_context(stand_in())
            settings = {
                "storage_url": f"supabase://{new_bucket()}",
                "supabase_url": project.url,
                "supabase_secret_key": SERVICE_KEY,
                "auth": ("local",),
            }
        url = stack.enter_context(app_database(postgres_server))
        yield stack.enter_context(Stand(url, tmp_path / "app", dispatchers=0, **settings))


MANY = 700  # more than a page holds


def look(app: Stand, *, fix: bool = False, hours: float = 0) -> tuple[Found, list[Finding]]:
    """A check, and all that it told; objects of any age may be orphans unless `hours` says otherwise."""
    told: list[Finding] = []
    check = StorageCheck(
        rows=app.at.storage_rows, storage=app.at.storage, uploads=app.at.upload_store,
        grace=timedelta(hours=hours), tell=told.append, remake=app.at.previews.remake,
    )  # fmt: skip
    return app.do(lambda: check.run(fix=fix)), told


def shown(told: list[Finding]) -> list[tuple[str, str]]:
    return sorted((one.kind.value, one.key) for one in told)


def upload(app: Stand, **columns: object) -> str:
    """A stored upload's row; its key."""
    who, upload_id = person(app), uuid4()
    key = upload_key(who, upload_id, "a.png")
    row = {
        "id": upload_id,
        "user_id": who,
        "filename": "a.png",
        "key": key,
        "size_bytes": 4,
        "status": "stored",
    } | columns
    names, marks = ", ".join(row), ", ".join(["%s"] * len(row))
    app.sql(f"insert into public.uploads ({names}) values ({marks})", *row.values())
    return key


def whole(app: Stand) -> str:
    """A completed job with its file; the file's key."""
    return put(app, job_key("sleep", job(app), "output.png"))


def test_what_is_whole(store: Stand):
    """Nothing is said of what is as it should be, or may still become so."""
    whole(store)
    running = job(store, "processing")
    put(store, job_key("sleep", running, "output.png"))  # being written
    failed = job(store, "failed")
    put(store, key := job_key("sleep", failed, "output-2.png"))
    store.sql(
        "insert into storage_outbox (action, target) values ('delete_keys', jsonb_build_array(%s::text))", key
    )
    purged = put(store, job_key("sleep", new_id(), "a.png"))
    folder = purged.removesuffix("a.png")
    store.sql(
        "insert into storage_outbox (action, target) values ('delete_prefix', to_jsonb(%s::text))", folder
    )
    original = put(store, upload(store))
    upload(store, object_key=original)  # the same bytes again
    waiting = upload(store, status="waiting")
    put(store, waiting.replace("/a.png", "-parts/000"))
    found, told = look(store)
    assert shown(told) == []
    assert (found.open, found.jobs, found.objects) == (0, 3, 6)


def test_what_was_planted(store: Stand):
    expected = []
    who = uuid4()
    for key in (
        job_key("sleep", new_id(), "output.png"),  # no row
        job_key("no-such-type", new_id(), "output.png"),
        whole(store).replace("output.png", "extra.png"),  # beside what the row names
        job_key("sleep", job(store, "failed"), "output.png"),
        upload_key(who, uuid4(), "a.png"),
        upload_parts_prefix(who, uuid4()) + "000",
    ):
        expected.append(("orphan", put(store, key)))
    expected.append(("lost", job_key("sleep", job(store), "output.png")))
    input_key = job_key("sleep", waiting := new_id(), "input.png")
    job(store, "pending", id=waiting, inputs=f'{{"image": {{"key": "{input_key}", "size_bytes": 4}}}}')
    expected.append(("lost", input_key))
    expected.append(("lost", upload(store)))
    expected.append(("size", put(store, job_key("sleep", job(store), "output.png"), b"another")))
    expected.append(("size", put(store, upload(store), b"another")))
    for key in (
        "workflows/readme.txt",
        "workflows/sleep/readme.txt",
        "workflows/sleep/not-an-id/a.png",
        "uploads/x.png",
    ):
        expected.append(("stray", put(store, key)))
    expected.append(("old_upload", put(store, upload(store, expires_at="2026-01-01"))))
    found, told = look(store)
    assert shown(told) == sorted(expected)
    assert found.open == len(expected)
    assert sorted(keys(store)) == sorted({key for kind, key in expected if kind != "lost"} | set(keys(store)))


def test_young_objects_are_left_alone(store: Stand):
    put(store, job_key("sleep", new_id(), "output.png"))
    assert look(store, hours=1)[0].found == {}
    assert look(store)[0].found == {"orphan": 1}


def test_what_is_safe_is_repaired(store: Stand):
    kept = whole(store)
    put(store, kept.replace("output.png", "extra.png"))
    put(store, job_key("sleep", new_id(), "output.png"))
    put(store, upload(store, expires_at="2026-01-01"))
    lost = job_key("sleep", job(store), "output.png")
    found, told = look(store, fix=True)
    assert {(one.kind.value, one.fixed) for one in told} == {
        ("orphan", True), ("old_upload", True), ("lost", False),
    }  # fmt: skip
    assert found.open == 1, "nobody can bring back what is lost"
    empty_outbox(store)
    assert keys(store) == [kept]
    assert store.sql("select key from rushes.lost_objects") == [(lost,)]
    again, told = look(store, fix=True)
    assert (again.open, [one.known for one in told]) == (0, [True]), "that it is lost is known by now"
    put(store, lost)
    assert look(store, fix=True)[0].found_again == 1
    assert store.sql("select key from rushes.lost_objects") == []


def test_many_folders_of_types_with_like_names(quiet: Stand):
    """In the order of keys img2img-x/ is before img2img/, and both come in many pages."""
    chance = random.Random(7)
    expected = set()
    for n in range(MANY):
        kind = ("img2img", "img2img-x", "img", "zoom")[n % 4]
        job_id = new_id()
        key = job_key(kind, job_id, "output.png")
        fate = chance.random()
        if fate < 0.95:
            job(quiet, id=job_id, workflow_type=kind)
        else:
            expected.add(("orphan", key))
        if fate > 0.05:
            put(quiet, key)
        else:
            expected.add(("lost", key))
    found, told = look(quiet)
    assert set(shown(told)) == expected
    assert len(told) == len(expected) > 30
    assert found.jobs + found.found["orphan"] == MANY


def test_a_row_that_names_what_is_elsewhere(quiet: Stand):
    """As one that was taken over may: then the object is looked for where it is said to be."""
    there = put(quiet, job_key("other", job(quiet, "failed", workflow_type="other"), "a.png"))
    job(
        quiet,
        inputs=f'{{"a": {{"key": "{there}"}}, "b": {{"key": "uploads/gone/b.png"}}, "c": {{"key": "a word"}}}}',
        status="failed",
    )
    _, told = look(quiet, hours=1)
    assert shown(told) == [("lost", "uploads/gone/b.png")]
