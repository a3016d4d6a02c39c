"""The triggers on workflow_jobs: moves, stamps, closed records and the event log."""

from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest
from psycopg.errors import CheckViolation

from rushes.domain.job import TRANSITIONS, JobStatus
from tests.integration.schema.people import OWNER, STRANGER, Stage

STATUSES = [status.value for status in JobStatus]
TERMINAL = ["completed", "failed", "cancelled"]
# What a dispatcher would write along with the status; everything that a move could need.
EVERYTHING: dict[str, str] = {
    "pending": "comfy_url = NULL",
    "processing": "attempt = attempt + 1, comfy_url = 'http://gpu:8188'",
    "completed": """outputs = '{"files": []}'""",
    "failed": "error_code = 'timeout', error_message = 'Too late.'",
    "cancelled": "waiting_reason = NULL",
}
COLUMNS = """id, job_id, user_id, workflow_type, workflow_name, workflow_version, version, created_at, started_at,
    completed_at, processing_time_seconds, inputs, outputs, result_urls, prompt_text, comfy_url,
    comfyui_output_filename, comfyui_output_subfolder, comfyui_output_type, error_message, error_code, error_details,
    priority, fair_start, available_at, deadline_at, attempt, max_attempts, waiting_reason, batch_id, parent_id,
    idempotency_key, user_ip, model_used, metadata, legacy_table, legacy_id, legacy_row, cancel_requested_at"""
FORGED: dict[str, str] = {
    "uuid": "gen_random_uuid()", "text": "'forged'", "jsonb": "'{\"forged\": true}'", "bigint": "77",
    "smallint": "7", "integer": "7", "timestamp with time zone": "'2001-01-01'",
}  # fmt: skip


def row(stage: Stage, job: UUID) -> dict[str, Any]:
    (found,) = stage.one(None, "SELECT to_jsonb(j) FROM workflow_jobs AS j WHERE id = %s", job)
    return dict(found)


def events(stage: Stage, job: UUID) -> list[tuple[str, dict[str, Any]]]:
    return stage.ask(None, "SELECT kind, data FROM workflow_job_events WHERE job_id = %s ORDER BY id", job)


def update(stage: Stage, job: UUID, what: str) -> None:
    stage.ask(None, f"UPDATE workflow_jobs SET {what} WHERE id = %s", job)


@pytest.mark.parametrize(("start", "target"), list(permutations(STATUSES, 2)))
def test_moves_are_those_of_the_domain(stage: Stage, start: str, target: str) -> None:
    job = stage.job_in(start)
    was = row(stage, job)
    if target in TRANSITIONS[JobStatus(start)]:
        update(stage, job, f"status = '{target}', {EVERYTHING[target]}")
        assert row(stage, job)["status"] == target
        assert row(stage, job)["version"] == was["version"] + 1
    else:
        with pytest.raises(CheckViolation):
            update(stage, job, f"status = '{target}', {EVERYTHING[target]}")
        with pytest.raises(CheckViolation):
            update(stage, job, f"status = '{target}'")
        assert row(stage, job) == was


def test_a_new_job_has_no_past(stage: Stage) -> None:
    for forged in (
        {"status": "processing", "comfy_url": "x"}, {"status": "completed"}, {"attempt": 1},
        {"outputs": "{}"}, {"result_urls": '["x"]'}, {"started_at": "2026-01-01"}, {"completed_at": "2026-01-01"},
        {"error_code": "timeout"}, {"cancel_requested_at": "2026-01-01"}, {"deleted_at": "2026-01-01"},
        {"legacy_table": "t"}, {"comfy_url": "http://x"},
    ):  # fmt: skip
        with pytest.raises(CheckViolation, match="new job is pending"):
            stage.new_job(OWNER, **forged)
    assert row(stage, stage.new_job(OWNER, version=9))["version"] == 1


@pytest.mark.parametrize("status", STATUSES)
def test_stamps_can_not_be_forged(stage: Stage, status: str) -> None:
    job = stage.job_in(status)
    was = row(stage, job)
    for column in ("version", "started_at", "completed_at", "processing_time_seconds"):
        kind = {"version": "77", "processing_time_seconds": "77"}.get(column, "'2001-01-01'")
        try:
            update(stage, job, f"{column} = {kind}")
        except CheckViolation:
            assert status in TERMINAL
        assert row(stage, job)[column] == was[column], column


def test_stamps_of_a_life(stage: Stage) -> None:
    job = stage.new_job(OWNER)
    assert row(stage, job)["started_at"] is None
    stage.move(job, "processing")
    assert row(stage, job)["started_at"]
    stage.move(job, "pending")
    assert row(stage, job)["started_at"] is None
    stage.move(job, "processing")
    stage.connection.execute("SET LOCAL session_replication_role = replica")
    update(stage, job, "started_at = now() - interval '3.9 seconds'")
    stage.connection.execute("SET LOCAL session_replication_role = origin")
    stage.move(job, "completed")
    ended = row(stage, job)
    assert ended["processing_time_seconds"] == 3
    assert ended["completed_at"] == ended["updated_at"]
    assert ended["version"] == 5


def test_a_clock_that_was_set_back_gives_no_negative_time(stage: Stage) -> None:
    job = stage.job_in("processing")
    stage.connection.execute("SET LOCAL session_replication_role = replica")
    update(stage, job, "started_at = now() + interval '1 hour'")
    stage.connection.execute("SET LOCAL session_replication_role = origin")
    stage.move(job, "completed")
    assert row(stage, job)["processing_time_seconds"] == 0


def test_a_job_that_never_ran_has_no_processing_time(stage: Stage) -> None:
    ended = row(stage, stage.job_in("cancelled"))
    assert ended["completed_at"]
    assert ended["processing_time_seconds"] is None


@pytest.mark.parametrize("status", TERMINAL)
@pytest.mark.parametrize("column", [name.strip() for name in COLUMNS.split(",")])
def test_a_finished_job_is_closed(stage: Stage, status: str, column: str) -> None:
    job = stage.job_in(status)
    kind = stage.connection.execute(
        "SELECT format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = 'workflow_jobs'::regclass AND attname = %s",
        (column,),
    ).fetchone()
    assert kind
    forged = "'[\"/storage/x\"]'" if column == "result_urls" else FORGED[kind[0]]
    with pytest.raises(CheckViolation):
        update(stage, job, f"{column} = {forged}")


@pytest.mark.parametrize("column", ["id", "user_id", "workflow_type", "workflow_name", "created_at", "parent_id",
                                    "batch_id", "idempotency_key", "user_ip", "legacy_id", "origin"])  # fmt: skip
@pytest.mark.parametrize("status", ["pending", "processing"])
def test_what_a_job_is_never_changes(stage: Stage, status: str, column: str) -> None:
    forged = {
        "id": f"'{uuid4()}'", "user_id": f"'{STRANGER.user_id}'", "created_at": "'2001-01-01'", "origin": "'legacy'",
        "parent_id": f"'{uuid4()}'", "batch_id": f"'{uuid4()}'",
    }.get(column, "'forged'")  # fmt: skip
    with pytest.raises(CheckViolation, match="identity"):
        update(stage, stage.job_in(status), f"{column} = {forged}")


def test_people_may_keep_a_finished_job_as_they_like(stage: Stage) -> None:
    job = stage.job_in("completed")
    version = row(stage, job)["version"]
    update(stage, job, "title = 't', rating = 5, tags = '{a}', visibility = 'public', expires_at = now()")
    assert row(stage, job)["title"] == "t"
    assert row(stage, job)["version"] == version


def test_pictures_may_be_added_to_a_completed_job_and_nothing_else(stage: Stage) -> None:
    job = stage.job_in("completed")
    update(stage, job, """outputs = '{"files": [{"name": "a.png", "key": "k", "thumb_key": "t", "poster_key": "p", "thumbhash": "h"}]}'""")  # fmt: skip
    for forged in (
        '{"files": [{"name": "a.png", "key": "other"}]}', '{"files": []}', '{"files": null}', "{}", "null",
        '{"files": [{"name": "a.png", "key": "k"}, {"name": "b.png", "key": "l"}]}',
        '{"files": [{"name": "a.png", "key": "k"}], "texts": ["x"]}',
        '{"files": ["poster_key", {"name": "a.png", "key": "k"}]}',
    ):  # fmt: skip
        with pytest.raises(CheckViolation):
            update(stage, job, f"outputs = '{forged}'")
    with pytest.raises(CheckViolation):
        update(stage, job, "outputs = NULL")
    assert row(stage, job)["outputs"]["files"][0]["thumb_key"] == "t"


def test_only_a_completed_job_has_outputs_and_it_always_has(stage: Stage) -> None:
    running = stage.job_in("processing")
    with pytest.raises(CheckViolation, match="outputs"):
        update(stage, running, "status = 'completed'")
    with pytest.raises(CheckViolation, match="outputs"):
        update(stage, running, "outputs = '{}'")
    with pytest.raises(CheckViolation, match="outputs"):
        update(stage, running, "result_urls = '[\"/storage/x\"]'")
    with pytest.raises(CheckViolation, match="says why"):
        update(stage, running, "status = 'failed'")


def test_attempts_only_go_up_and_end(stage: Stage) -> None:
    job = stage.new_job(OWNER, max_attempts=1)
    with pytest.raises(CheckViolation, match="raise the attempt"):
        update(stage, job, "status = 'processing', comfy_url = 'x'")
    stage.move(job, "processing")
    with pytest.raises(CheckViolation, match="only goes up"):
        update(stage, job, "attempt = 0")
    with pytest.raises(CheckViolation, match="No attempt is left"):
        stage.move(job, "pending")
    with pytest.raises(psycopg.errors.CheckViolation):
        update(stage, stage.new_job(OWNER), "status = 'processing', attempt = 1")  # on no server


def test_a_cancel_ends_a_pending_job_at_once(stage: Stage) -> None:
    job = stage.new_job(OWNER)
    status = stage.one(
        OWNER,
        "UPDATE workflow_jobs SET cancel_requested_at = '2001-01-01' WHERE id = %s RETURNING status",
        job,
    )
    assert status == ("cancelled",)
    ended = row(stage, job)
    assert ended["cancel_requested_at"] == ended["completed_at"] == ended["updated_at"]
    assert [kind for kind, _ in events(stage, job)] == ["created", "cancel_requested", "status"]


def test_a_cancel_is_asked_once_and_kept(stage: Stage) -> None:
    job = stage.job_in("processing")
    stage.touched(OWNER, "UPDATE workflow_jobs SET cancel_requested_at = now() WHERE id = %s", job)
    assert row(stage, job)["status"] == "processing"
    for value in ("NULL", "'2001-01-01'", "clock_timestamp()"):
        with pytest.raises(CheckViolation, match="taken back"):
            stage.touched(OWNER, f"UPDATE workflow_jobs SET cancel_requested_at = {value} WHERE id = %s", job)
    stage.move(job, "pending")
    assert row(stage, job)["status"] == "cancelled"


@pytest.mark.parametrize("status", TERMINAL)
def test_a_finished_job_can_not_be_cancelled(stage: Stage, status: str) -> None:
    with pytest.raises(CheckViolation):
        stage.touched(
            OWNER, "UPDATE workflow_jobs SET cancel_requested_at = now() WHERE id = %s", stage.job_in(status)
        )


def test_the_trash_has_the_databases_time(stage: Stage) -> None:
    job = stage.job_in("completed")
    stage.touched(OWNER, "UPDATE workflow_jobs SET deleted_at = '2001-01-01' WHERE id = %s", job)
    first = row(stage, job)["deleted_at"]
    assert not first.startswith("2001")
    stage.touched(OWNER, "UPDATE workflow_jobs SET deleted_at = '2031-01-01' WHERE id = %s", job)
    assert row(stage, job)["deleted_at"] == first
    stage.touched(OWNER, "UPDATE workflow_jobs SET deleted_at = NULL WHERE id = %s", job)
    assert row(stage, job)["deleted_at"] is None


def test_every_change_is_in_the_log(stage: Stage) -> None:
    job = stage.new_job(OWNER, "team")
    stage.move(job, "processing")
    update(stage, job, "attempt = 2, job_id = 'second'")
    stage.move(job, "failed")
    update(stage, job, "visibility = 'private', title = 'x'")
    update(stage, job, "rating = 3")
    update(stage, job, "deleted_at = now()")
    update(stage, job, "deleted_at = NULL, visibility = 'public'")
    update(stage, job, "rating = 3")
    assert events(stage, job) == [
        ("created", {"to": "pending"}),
        ("status", {"from": "pending", "to": "processing", "attempt": 1}),
        ("attempt", {"attempt": 2}),
        ("status", {"from": "processing", "to": "failed", "attempt": 2, "error_code": "node_error"}),
        ("edited", {"was_visibility": "team"}),
        ("edited", {}),
        ("removed", {"was_visibility": "private"}),
        ("restored", {"was_visibility": "private"}),
    ]


def test_what_nobody_looks_at_writes_no_event(stage: Stage) -> None:
    job = stage.new_job(OWNER)
    update(
        stage,
        job,
        "waiting_reason = 'no server', available_at = now(), workflow_version = 'v2', metadata = '{}'",
    )
    assert [kind for kind, _ in events(stage, job)] == ["created"]


def legacy_job(stage: Stage, status: str = "processing") -> UUID:
    return stage.new_job(
        OWNER,
        origin="legacy",
        status=status,
        legacy_table="t",
        legacy_id=str(uuid4()),
        updated_at="2001-01-01",
    )


def test_legacy_rows_follow_their_source(stage: Stage) -> None:
    job = legacy_job(stage)
    update(stage, job, "status = 'completed', outputs = '{}', completed_at = '2001-01-02', user_id = NULL")
    update(stage, job, "status = 'pending'")
    assert row(stage, job)["updated_at"].startswith("2001")
    assert [kind for kind, _ in events(stage, job)] == ["status", "status"]
    with pytest.raises(CheckViolation, match="identity"):
        update(stage, job, "origin = 'rushes'")


def test_legacy_rows_can_not_be_cancelled(stage: Stage) -> None:
    with pytest.raises(CheckViolation, match="old tables"):
        stage.touched(
            OWNER, "UPDATE workflow_jobs SET cancel_requested_at = now() WHERE id = %s", legacy_job(stage)
        )
