"""Previews that nobody made: the dispatcher was killed after `completed`, or the objects were lost."""

import io
import json
import os
from functools import partial
from typing import Any
from uuid import UUID

import psycopg
import pytest
from PIL import Image

from rushes.domain.errors import Unavailable
from rushes.domain.keys import job_key
from rushes.services import previews as module
from tests.integration.app.person import Json
from tests.integration.app.stand import Stand
from tests.integration.cleanup.planted import job, keys, new_id, put
from tests.integration.cleanup.test_storage_check import look, shown, store  # noqa: F401  # a fixture


def png() -> bytes:
    out = io.BytesIO()
    Image.frombytes("RGB", (96, 64), os.urandom(96 * 64 * 3)).save(out, "PNG")
    return out.getvalue()


def described(key: str, **more: Any) -> Json:
    return {
        "name": key.rpartition("/")[2], "kind": "image", "key": key, "content_type": "image/png", "size_bytes": None,
        "width": 96, "height": 64, "duration_seconds": None, "fps": None, "poster_key": None, "thumb_key": None,
        "thumbhash": None, **more,
    }  # fmt: skip


def bare(app: Stand, *contents: bytes | None, minutes: float = 10, **columns: Any) -> UUID:
    """A job that completed so long ago, with these files (None is one that is lost) and without previews."""
    job_id = new_id()
    files = [described(job_key("sleep", job_id, f"output_{n}.png")) for n, _ in enumerate(contents)]
    outputs = json.dumps({"files": files, "texts": [], "reused": False})
    job(app, id=job_id, **({"outputs": outputs} | columns))
    for file, content in zip(files, contents, strict=True):
        if content is not None:
            put(app, file["key"], content)
    ended(app, job_id, minutes=minutes)
    return job_id


def ended(app: Stand, job_id: UUID, *, minutes: float) -> None:
    app.sql(
        "insert into workflow_job_events (job_id, kind, data, at) values"
        """ (%s, 'status', '{"to": "completed"}', now() - %s * interval '1 minute')""",
        job_id,
        minutes,
    )


def files_of(app: Stand, job_id: UUID) -> Json:
    [(outputs,)] = app.sql("select outputs from workflow_jobs where id = %s", job_id)
    return outputs["files"]


def thumbs(app: Stand, job_id: UUID) -> list[bool]:
    """Which of the files have one, in the row and in the storage."""
    there = set(keys(app))
    named = [file["thumb_key"] for file in files_of(app, job_id)]
    assert {key for key in named if key} <= there
    return [key is not None for key in named]


def sweep(app: Stand) -> int:
    app.sql("update rushes.chores set begun_at = '-infinity'")
    return app.do(app.at.previews.when_due)


def later(app: Stand) -> None:
    app.sql("update workflow_job_events set at = at - interval '10 minutes'")


def test_what_is_missing_is_made_once(quiet: Stand):
    first = bare(quiet, png(), png())
    assert sweep(quiet) == 1
    assert thumbs(quiet, first) == [True, True]
    assert files_of(quiet, first)[0]["thumbhash"]
    assert files_of(quiet, first)[0]["thumb_key"].endswith("/thumb_1.webp")
    before = quiet.sql("select id, xmin::text from workflow_jobs")
    assert sweep(quiet) == 0
    assert quiet.sql("select id, xmin::text from workflow_jobs") == before
    second = bare(quiet, png())
    later(quiet)
    assert sweep(quiet) == 1
    assert thumbs(quiet, second) == [True]


def test_what_may_still_come_is_waited_for(quiet: Stand):
    old, young = bare(quiet, png()), bare(quiet, png(), minutes=1)
    last = bare(quiet, png())  # a higher number with an older time
    assert sweep(quiet) == 1
    assert [thumbs(quiet, one) for one in (old, young, last)] == [[True], [False], [False]]
    later(quiet)
    assert sweep(quiet) == 2


def test_what_can_not_be_pictured_holds_nothing_up(quiet: Stand):
    broken, lost, odd = bare(quiet, b"no picture", png()), bare(quiet, None), bare(quiet, png(), attempt=3)
    nothing = bare(quiet, outputs="{}")
    row = json.dumps({"files": [{"kind": "image", "thumb_key": None}]})
    strange = bare(quiet, outputs=row)
    trash = bare(quiet, png(), deleted_at="now")
    assert sweep(quiet) == 3
    assert thumbs(quiet, broken) == [False, True]
    assert thumbs(quiet, lost) == [False]
    assert files_of(quiet, odd)[0]["thumb_key"].endswith("/thumb_1-3.webp")
    assert thumbs(quiet, trash) == [True], "it may be restored"
    assert quiet.sql("select outputs from workflow_jobs where id = %s", nothing) == [({},)]
    assert files_of(quiet, strange) == [{"kind": "image", "thumb_key": None}]
    assert sweep(quiet) == 0


def test_a_storage_that_is_away_is_waited_for(quiet: Stand):
    """The folder is gone for a while."""
    bare(quiet, png())
    folder = quiet.storage
    folder.rename(folder.with_name("away"))
    with pytest.raises(Unavailable):
        sweep(quiet)
    folder.with_name("away").rename(folder)
    assert sweep(quiet) == 1


def test_page_by_page_and_one_process_at_a_time(quiet: Stand, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(module, "PAGE", 2)
    made = [bare(quiet, png()) for _ in range(5)]
    assert sweep(quiet) == 5
    assert all(thumbs(quiet, one) == [True] for one in made)
    bare(quiet, png())
    later(quiet)
    assert quiet.do(quiet.at.previews.when_due) == 0, "there was a look just now"
    assert sweep(quiet) == 1


def test_nothing_new_costs_next_to_nothing(quiet: Stand):
    """By the log's key, however many jobs and events there are."""
    from rushes.adapters.postgres.queries import query

    bare(quiet, png())
    quiet.sql(
        "insert into workflow_job_events (job_id, kind, data, at)"
        " select id, 'edited', '{}', now() - interval '1 hour' from workflow_jobs, generate_series(1, 20000)"
    )
    quiet.sql("analyze workflow_job_events")
    [(last,)] = quiet.sql("select max(id) from workflow_job_events")
    statement = query("previews_missing")
    with psycopg.connect(quiet.database_url) as connection, psycopg.ClientCursor(connection) as cursor:
        cursor.execute(
            f"explain (format text) {statement}", {"after": last - 5, "limit": 1000, "late": 300.0}
        )
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert "Seq Scan on workflow_job_events" not in plan, plan


def test_the_check_makes_lost_previews_again(store: Stand):  # noqa: F811
    one, other = bare(store, png()), bare(store, png())
    assert sweep(store) == 2
    thumb = files_of(store, one)[0]["thumb_key"]
    source = files_of(store, other)[0]["key"]
    gone = files_of(store, other)[0]["thumb_key"]
    for key in (thumb, gone, source):
        store.do(partial(store.at.storage.delete_many, [key]))
    found, told = look(store)
    expected = sorted(("lost", key) for key in (thumb, gone, source))
    assert shown(told) == expected
    assert found.open == 3
    found, told = look(store, fix=True)
    assert shown(told) == expected
    assert [finding.key for finding in told if finding.fixed] == [thumb]
    assert thumb in keys(store)
    found, told = look(store)
    assert shown(told) == sorted(("lost", key) for key in (gone, source))
    assert found.open == 0, "those are known"
