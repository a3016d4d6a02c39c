"""migrate: the sample gives expected.csv, whatever the batches, the databases, and however often it runs."""

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path
from uuid import UUID, uuid4

import psycopg
import pytest

from rushes.domain.errors import Conflict
from rushes.legacy.changes import drain
from tests.integration.legacy.taking import both, everything, expected, jobs, taken

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("rows", [1, 2, 7, 1000])
async def test_the_sample_gives_what_is_expected(sample_url: str, rows: int) -> None:
    done = await taken(sample_url, batch_rows=rows)
    assert jobs(sample_url) == expected()
    assert done.tables == {"multitalk_jobs": 16, "style_transfers": 5, "edited_images": 5, "datasets": 2}


@pytest.mark.parametrize("rows", [1, 1000])
async def test_from_another_database(schema_url: str, source_url: str, sample_url: str, rows: int) -> None:
    await taken(schema_url, source_url, batch_rows=rows)
    assert jobs(schema_url) == expected()
    await taken(sample_url)
    assert everything(schema_url) == everything(sample_url)


@pytest.mark.parametrize("workers", [1, 2, 5])
async def test_however_many_work_at_it(sample_url: str, workers: int) -> None:
    await taken(sample_url, workers=workers, batch_rows=2)
    assert jobs(sample_url) == expected()


async def test_rows_that_somebody_else_has_followed_meanwhile(sample_url: str) -> None:
    await taken(sample_url)
    before = everything(sample_url), versions(sample_url)
    with psycopg.connect(sample_url, autocommit=True) as connection:
        for name, key in (("multitalk_jobs", "job_id"), ("style_transfers", "id"), ("edited_images", "id")):
            written = connection.execute(
                f"""SELECT rushes_legacy.take_in(array_agg(
                        ROW('{name}', t.{key}::text, to_jsonb(t))::rushes_legacy.source_row), true) FROM {name} AS t"""
            ).fetchone()
            assert written == (0,)
    assert (everything(sample_url), versions(sample_url)) == before


async def test_run_twice_it_changes_nothing(sample_url: str) -> None:
    await taken(sample_url)
    before = everything(sample_url), versions(sample_url)
    done = await taken(sample_url, batch_rows=3)
    assert done.written == 0
    assert sum(done.tables.values()) == 28
    assert (everything(sample_url), versions(sample_url)) == before


async def test_bytes_bound_a_batch_and_one_row_always_goes(sample_url: str) -> None:
    await taken(sample_url, batch_bytes=1)
    assert jobs(sample_url) == expected()


async def test_what_changes_afterwards_is_followed(sample_url: str) -> None:
    await taken(sample_url)
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute(
            """INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url) VALUES ('new', 'submitted', 1, 1, 'http://c')"""
        )
        await drained(sample_url)
        assert status(app, "new") == ("pending", None)
        app.execute("UPDATE multitalk_jobs SET status = 'processing' WHERE job_id = 'new'")
        await drained(sample_url)
        assert status(app, "new") == ("processing", None)
        app.execute(
            "UPDATE multitalk_jobs SET status = 'completed', timestamp_completed = now() + '2 s', filename = 'wan_1.mp4' WHERE job_id = 'new'"
        )
        await drained(sample_url)
        assert status(app, "new") == ("completed", 2)
        events = app.execute("SELECT kind, data->>'to' FROM workflow_job_events ORDER BY id").fetchall()
        assert events == [("status", "processing"), ("status", "completed")]
        app.execute(
            "UPDATE style_transfers SET status = 'completed', result_image_url = 'https://a/storage/v1/object/public/b/x.png' WHERE status = 'processing'"
        )
        app.execute("DELETE FROM edited_images WHERE model_used LIKE 'Error%'")
        app.execute("DELETE FROM datasets WHERE name = 'Empty'")
        app.execute("UPDATE data SET caption = 'fine' WHERE caption IS NULL")
        await drained(sample_url)
    after = everything(sample_url)
    assert len(after) == 27 + 1
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute("TRUNCATE workflow_jobs, caption_datasets, rushes_legacy.style_prompts CASCADE")
    await taken(sample_url)
    assert without(everything(sample_url), "version") == without(after, "version")


async def test_a_prompt_id_that_becomes_shared_is_taken_from_both_and_given_back(sample_url: str) -> None:
    prompt = "1b000000-0000-4000-8000-000000000001"
    await taken(sample_url)
    with psycopg.connect(sample_url, autocommit=True) as app:

        async def holders() -> list[tuple[str, ...]]:
            await drained(sample_url)
            return app.execute(
                "SELECT legacy_table, legacy_id FROM workflow_jobs WHERE job_id = %s", (prompt,)
            ).fetchall()

        first = ("style_transfers", "51000000-0000-4000-8000-000000000001")
        assert await holders() == [first]
        app.execute("UPDATE style_transfers SET comfyui_prompt_id = %s WHERE prompt = ''", (prompt,))
        assert await holders() == []
        app.execute("UPDATE style_transfers SET comfyui_prompt_id = NULL WHERE prompt = ''")
        assert await holders() == [first]
        app.execute(
            "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url) VALUES (%s, 'submitted', 1, 1, '')",
            (prompt,),
        )
        assert await holders() == [("multitalk_jobs", prompt)]
        app.execute("DELETE FROM multitalk_jobs WHERE job_id = %s", (prompt,))
        assert await holders() == [first]
        # two rows swap their ids in one statement
        app.execute("""UPDATE style_transfers SET comfyui_prompt_id = CASE right(comfyui_prompt_id, 1)
                       WHEN '1' THEN left(comfyui_prompt_id, -1) || '2' ELSE left(comfyui_prompt_id, -1) || '1' END
                       WHERE comfyui_prompt_id ~ '[12]$'""")
        assert await holders() == [("style_transfers", "51000000-0000-4000-8000-000000000002")]


async def test_the_old_app_is_not_failed_by_what_notes_its_changes(sample_url: str) -> None:
    await taken(sample_url)
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute("DROP TABLE rushes_legacy.changes")
        app.execute("UPDATE edited_images SET prompt = prompt || '!'")
        assert app.execute("SELECT count(*) FROM edited_images WHERE prompt LIKE '%!'").fetchone() == (5,)


async def test_what_never_ended_fails_once_it_is_old(sample_url: str) -> None:
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute(
            "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url, created_at) VALUES ('young', 'processing', 1, 1, '', now() - interval '23 h')"
        )
        await taken(sample_url)
        assert status(app, "young") == ("processing", None)
        await taken(sample_url, stale_seconds=3600)
        assert status(app, "young") == ("failed", None)
        await taken(sample_url)
        assert status(app, "young") == ("processing", None)


async def test_owners_and_visibility(sample_url: str) -> None:
    somebody, other = uuid4(), uuid4()
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute("INSERT INTO auth.users (id) VALUES (%s), (%s)", (somebody, other))
        app.execute("ALTER TABLE edited_images ADD user_id uuid")
        app.execute("UPDATE edited_images SET user_id = %s WHERE prompt = 'brighter'", (other,))
        app.execute("UPDATE edited_images SET user_id = %s WHERE prompt = 'más luz'", (uuid4(),))
        await taken(sample_url, owners={("multitalk_jobs", "prompt-0016"): somebody}, visibility="public")
        owned = app.execute(
            "SELECT legacy_id, user_id, visibility FROM workflow_jobs WHERE user_id IS NOT NULL ORDER BY 1"
        ).fetchall()
        assert owned == [
            ("ed000000-0000-4000-8000-000000000005", other, "private"),
            ("prompt-0016", somebody, "private"),
        ]
        assert app.execute("SELECT count(*) FROM workflow_jobs WHERE visibility = 'public'").fetchone() == (
            26,
        )
        wrong = app.execute(
            "SELECT legacy_id FROM workflow_jobs WHERE metadata->'legacy'->'anomalies' ? 'unreadable_value'"
        ).fetchall()
        assert wrong == [("ed000000-0000-4000-8000-000000000004",)]
        await taken(sample_url, visibility="private")
        assert app.execute("SELECT count(*) FROM workflow_jobs WHERE visibility = 'public'").fetchone() == (
            0,
        )


async def test_killed_at_any_point_it_goes_on(
    sample_url: str, sample_template: str, postgres_server: str
) -> None:
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute("""INSERT INTO multitalk_jobs SELECT 'k' || n, 'completed', now() - interval '1 d', now() - interval '1 d' + n * interval '1 s',
            'wan_' || n || '.mp4', NULL, 'a.png', NULL, 640, 360, false, 'http://c', NULL, NULL, '2025-01-01', '2025-01-01' FROM generate_series(1, 400) n""")
    for reached in (20, 150, 300):
        child = started("tests.integration.legacy.run_migrate", sample_url, "1")
        await _until_taken(sample_url, reached)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        await _until_unlocked(sample_url)
    assert (await taken(sample_url)).resumed
    rows = jobs(sample_url)
    assert len(rows) == 428
    assert [row for row in rows if not row[1].startswith("k")] == expected()


async def test_a_concurrent_writer_loses_nothing(sample_url: str) -> None:
    writer = started("tests.integration.legacy.write_on", sample_url, "2")
    try:
        while writer.poll() is None:
            await taken(sample_url, batch_rows=40)
    finally:
        writer.wait(timeout=30)
    assert writer.returncode == 0
    async with both(sample_url) as (_, target):
        while await drain(target):
            pass
    followed = without(everything(sample_url), "version")
    with psycopg.connect(sample_url, autocommit=True) as app:
        assert len(followed) > 60
        app.execute("TRUNCATE workflow_jobs, caption_datasets, rushes_legacy.style_prompts CASCADE")
    await taken(sample_url)
    assert without(everything(sample_url), "version") == followed


async def test_what_cannot_be_taken_over_is_left_alone(empty_url: str, schema_url: str) -> None:
    with pytest.raises(Conflict, match="None of the old tables"):
        await taken(schema_url)
    with psycopg.connect(empty_url, autocommit=True) as app:
        app.execute("ALTER TABLE style_transfers RENAME status TO state")
    with pytest.raises(Conflict, match="no column status"):
        await taken(empty_url)
    with psycopg.connect(empty_url, autocommit=True) as app:
        assert app.execute("SELECT count(*) FROM pg_trigger WHERE tgname LIKE 'rushes_note%'").fetchone() == (
            0,
        )


async def test_columns_and_tables_that_are_missing_or_more(sample_url: str) -> None:
    with psycopg.connect(sample_url, autocommit=True) as app:
        app.execute(
            "ALTER TABLE multitalk_jobs ADD notes text DEFAULT 'x', DROP COLUMN subfolder, DROP COLUMN updated_at"
        )
        app.execute("DROP TRIGGER update_multitalk_jobs_updated_at ON multitalk_jobs")
        app.execute("DROP TABLE style_transfers, data")
    await taken(sample_url)
    assert [row for row in jobs(sample_url) if row[0] in ("multitalk_jobs", "edited_images")] == [
        row for row in expected() if row[0] in ("multitalk_jobs", "edited_images")
    ]


def started(module: str, *arguments: str) -> "subprocess.Popen[bytes]":
    return subprocess.Popen([sys.executable, "-m", module, *arguments], cwd=Path(__file__).parents[3])


async def drained(url: str) -> None:
    async with both(url) as (_, target):
        while await drain(target):
            pass


def status(app: psycopg.Connection, job: str) -> tuple[str, int | None] | None:
    return app.execute(
        "SELECT status, processing_time_seconds FROM workflow_jobs WHERE legacy_id = %s", (job,)
    ).fetchone()


def versions(url: str) -> list[tuple[UUID, str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("SELECT id, xmin::text FROM workflow_jobs ORDER BY id").fetchall()


def without(rows: list, name: str) -> list:
    return [{key: value for key, value in row.items() if key != name} for row in rows]


async def _until_taken(url: str, rows: int) -> None:
    deadline = time.monotonic() + 30
    with psycopg.connect(url, autocommit=True) as watching:
        while watching.execute("SELECT count(*) >= %s FROM workflow_jobs", (rows,)).fetchone() != (True,):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.01)


async def _until_unlocked(url: str) -> None:
    """A killed process's session ends when the server sees that nobody is there."""
    deadline = time.monotonic() + 10
    with psycopg.connect(url, autocommit=True) as watching:
        while watching.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        ).fetchone() != (0,):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
