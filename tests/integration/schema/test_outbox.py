"""Rows that go take their files with them, by whatever way they go."""

import threading
import time
from typing import Any
from uuid import uuid4

import psycopg

from rushes.domain.keys import job_prefix, upload_key
from tests.integration.schema.people import ADMIN, OWNER, STRANGER, Stage


def outbox(stage: Stage) -> list[tuple[str, Any]]:
    rows = stage.ask(None, "SELECT action, target FROM storage_outbox WHERE target <> '[]' ORDER BY id")
    return [(action, target) for action, target in rows]


def new_upload(stage: Stage) -> str:
    upload = uuid4()
    assert STRANGER.user_id
    key = upload_key(STRANGER.user_id, upload, "a.png")
    stage.ask(
        None, "INSERT INTO uploads (id, user_id, filename, key, size_bytes) VALUES (%s, %s, 'a.png', %s, 1)",
        upload, STRANGER.user_id, key,
    )  # fmt: skip
    return key


def test_a_deleted_job_leaves_its_folder_to_the_outbox(stage: Stage) -> None:
    jobs = [stage.new_job(STRANGER) for _ in range(3)]
    stage.ask(None, "DELETE FROM workflow_jobs WHERE user_id = %s", STRANGER.user_id)
    assert sorted(outbox(stage)) == sorted(("delete_prefix", job_prefix("img2img", job)) for job in jobs)


def test_deleting_nothing_writes_nothing(stage: Stage) -> None:
    stage.ask(None, "DELETE FROM workflow_jobs WHERE user_id = %s", ADMIN.user_id)
    stage.ask(None, "DELETE FROM uploads WHERE user_id = %s", ADMIN.user_id)
    assert outbox(stage) == []


def test_an_account_takes_its_jobs_and_uploads_with_it(stage: Stage) -> None:
    job, key = stage.job_in("completed", STRANGER), new_upload(stage)
    stage.ask(None, "DELETE FROM auth.users WHERE id = %s", STRANGER.user_id)
    folder = ("delete_prefix", job_prefix("img2img", job))
    assert sorted(outbox(stage)) == [("delete_keys", [key]), folder, folder], "and again, for a late runner"
    assert stage.ask(None, "SELECT 1 FROM workflow_jobs WHERE id = %s", job) == []
    assert stage.ask(None, "SELECT 1 FROM workflow_job_events WHERE job_id = %s", job) == []


def test_a_roll_back_takes_the_entry_back(stage: Stage) -> None:
    stage.new_job(STRANGER)
    try:
        with stage.acting(None) as connection:
            connection.execute("DELETE FROM workflow_jobs WHERE user_id = %s", (STRANGER.user_id,))
            connection.execute("SELECT 1 / 0")
    except psycopg.errors.DivisionByZero:
        pass
    assert outbox(stage) == []


def test_moving_to_the_trash_keeps_the_files(stage: Stage) -> None:
    job = stage.job_in("completed")
    stage.touched(OWNER, "UPDATE workflow_jobs SET deleted_at = now() WHERE id = %s", job)
    assert outbox(stage) == []


def test_a_folder_is_looked_at_again_where_a_runner_may_be_late(stage: Stage) -> None:
    waiting, running = stage.new_job(STRANGER), stage.job_in("processing", STRANGER)
    ended = stage.job_in("failed", STRANGER)
    stage.ask(None, "DELETE FROM workflow_jobs WHERE user_id = %s", STRANGER.user_id)
    rows = stage.ask(
        None, "SELECT target #>> '{}', available_at > now() + interval '59 minutes' FROM storage_outbox"
        " WHERE action = 'delete_prefix'",
    )  # fmt: skip
    later = {(job_prefix("img2img", job), True) for job in (running, ended)}
    assert sorted(rows) == sorted(
        {(job_prefix("img2img", job), False) for job in (waiting, running, ended)} | later
    )


def test_a_job_that_ends_while_it_waits_again_leaves_nothing_of_its_attempts(stage: Stage) -> None:
    job = stage.job_in("processing")
    stage.ask(
        None, "INSERT INTO workflow_job_events (job_id, kind, data) VALUES (%s, 'output', '{\"key\": \"k1\"}')", job
    )  # fmt: skip
    stage.move(job, "pending")
    assert outbox(stage) == [], "the next attempt may still want to know of them"
    stage.touched(OWNER, "UPDATE workflow_jobs SET cancel_requested_at = now() WHERE id = %s", job)
    assert outbox(stage) == [("delete_keys", ["k1"])]


TWINS = """
    INSERT INTO public.uploads (id, user_id, filename, key, object_key, size_bytes)
    VALUES (gen_random_uuid(), %s, 'a.png', %s, %s, 1)
"""
WAITING = (
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'advisory'"
)


def test_the_last_two_uploads_of_an_object_discarded_at_once_take_it_with_them(database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as watch:
        account = "INSERT INTO auth.users (id) VALUES (gen_random_uuid()) RETURNING id"
        ((person,),) = watch.execute(account).fetchall()
        watch.execute(TWINS, (person, "uploads/first.png", None))
        watch.execute(TWINS, (person, "uploads/second.png", "uploads/first.png"))

        def second() -> None:
            with psycopg.connect(database_url, autocommit=True) as other:
                other.execute("DELETE FROM uploads WHERE key = 'uploads/second.png'")

        with psycopg.connect(database_url) as one:
            one.execute("DELETE FROM uploads WHERE key = 'uploads/first.png'")
            meanwhile = threading.Thread(target=second)
            meanwhile.start()
            until = time.monotonic() + 10
            while watch.execute(WAITING).fetchone() == (0,):
                assert time.monotonic() < until, "nobody waits: the object would stay for good"
                time.sleep(0.01)
        meanwhile.join()
        told = watch.execute("SELECT target FROM storage_outbox WHERE target <> '[]'").fetchall()
        assert told == [(["uploads/first.png"],)]


MANY_TWINS = """
    INSERT INTO public.uploads (id, user_id, filename, key, object_key, size_bytes)
    SELECT gen_random_uuid(), %s, 'a.png', 'uploads/' || part || n, 'uploads/first' || n, 1
    FROM generate_series(1, 30000) AS n, unnest(ARRAY['first', 'second']) AS part
"""


def test_half_of_very_many_twins_may_go_at_once(database_url: str) -> None:
    """One lock for each object would be more than a server has room for."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        account = "INSERT INTO auth.users (id) VALUES (gen_random_uuid()) RETURNING id"
        ((person,),) = connection.execute(account).fetchall()
        connection.execute(MANY_TWINS, (person,))
        connection.execute("DELETE FROM uploads WHERE key LIKE 'uploads/first%'")
        assert connection.execute("SELECT FROM storage_outbox").rowcount == 0, "their objects are needed"
        connection.execute("DELETE FROM uploads")
        told = connection.execute("SELECT sum(jsonb_array_length(target)) FROM storage_outbox").fetchone()
        assert told == (30_000,)
