"""inspect names everything odd, and changes nothing."""

import psycopg
import pytest

from rushes.adapters.postgres.legacy import open_legacy
from rushes.legacy.inspect import Inspection, inspect
from rushes.legacy.report import inspection_report

pytestmark = pytest.mark.anyio


async def looked(url: str) -> Inspection:
    async with open_legacy(url) as source:
        await source.execute("SET default_transaction_read_only = on")
        return await inspect(source)


async def test_the_sample(source_url: str) -> None:
    found = (await looked(source_url)).as_dict()
    assert {name: one["rows"] for name, one in found["tables"].items()} == {
        "multitalk_jobs": 16, "style_transfers": 5, "edited_images": 5, "datasets": 2, "data": 4,
    }  # fmt: skip
    assert found["absent"] == []
    assert found["rows"] == 28
    assert found["anomalies"]["not_uploaded"] == 8
    assert found["anomalies"]["duplicate_prompt_id"] == 2
    assert found["examples"]["unknown_type"] == ["multitalk_jobs prompt-0016"]
    # pending images and the two statuses that only multitalk writes are nothing odd
    assert found["problems"] == []
    assert found["objects"] is None
    assert sum(found["months"].values()) == 28


async def test_what_is_odd_is_named(source_url: str) -> None:
    with psycopg.connect(source_url, autocommit=True) as app:
        app.execute(
            "ALTER TABLE multitalk_jobs DROP COLUMN subfolder, ADD workflow_type text, ADD notes text"
        )
        app.execute("UPDATE multitalk_jobs SET workflow_type = 'img2img' WHERE width = 512")
        app.execute("DROP TABLE style_transfers")
        app.execute("ALTER TABLE edited_images RENAME status TO state")
        app.execute("ALTER TABLE datasets DROP CONSTRAINT datasets_pkey CASCADE")
        app.execute("CREATE TABLE multitalk_jobs_backup_2025 AS SELECT * FROM multitalk_jobs")
        app.execute("CREATE TABLE workflow_jobs (id uuid)")
    found = (await looked(source_url)).as_dict()
    told = "\n".join(found["problems"])
    for words in (
        "multitalk_jobs lacks subfolder", "has notes besides", "edited_images has no column status", "no primary key",
        "public.multitalk_jobs_backup_2025 looks like an earlier attempt", "public.workflow_jobs looks like",
    ):  # fmt: skip
        assert words in told, told
    assert found["absent"] == ["style_transfers"]
    assert found["tables"]["multitalk_jobs"]["phase1"] == ["workflow_type"]
    assert found["rules"]["column"] == 3


async def test_what_was_made_by_hand_is_named_with_what_to_do(source_url: str) -> None:
    with psycopg.connect(source_url, autocommit=True) as app:
        app.execute("CREATE TABLE workflow_jobs (id uuid)")
        app.execute("CREATE VIEW unified_workflow_jobs AS SELECT 1 AS one")
        app.execute("CREATE SCHEMA legacy_archive CREATE TABLE datasets (id uuid)")
        app.execute("ALTER TABLE edited_images RENAME TO real_ones")
        app.execute("CREATE VIEW edited_images AS SELECT * FROM real_ones")
        app.execute("ALTER TABLE style_transfers ALTER updated_at TYPE timestamp, ADD workflow_type int")
    told = "\n".join((await looked(source_url)).problems)
    for words in (
        "public.workflow_jobs looks like an earlier attempt by hand, and `rushes db migrate` stops at it",
        "ALTER VIEW public.unified_workflow_jobs RENAME TO",
        "ALTER TABLE legacy_archive.datasets RENAME TO",
        "public.edited_images is a view that somebody made",
        "public.style_transfers.updated_at is timestamp without time zone",
        "public.style_transfers has a column workflow_type already, of the type integer",
    ):
        assert words in told, told


async def test_statuses_never_seen_and_objects_that_are_gone(source_url: str) -> None:
    with psycopg.connect(source_url, autocommit=True) as app:
        app.execute("UPDATE style_transfers SET status = 'archived' WHERE status = 'pending'")
        app.execute("CREATE SCHEMA storage; CREATE TABLE storage.objects (bucket_id text, name text)")
        app.execute(
            "INSERT INTO storage.objects VALUES ('images', 'da000000-0000-4000-8000-000000000001/1.png')"
        )
    found = (await looked(source_url)).as_dict()
    assert "'archived' (1)" in "\n".join(found["problems"])
    assert found["objects"]["found"] == 1
    assert found["objects"]["missing"] == found["files"]["storage"] - 1


async def test_the_report_escapes_what_rows_say(source_url: str) -> None:
    with psycopg.connect(source_url, autocommit=True) as app:
        app.execute("UPDATE style_transfers SET status = '<script>alert(1)</script>'")
    page = inspection_report((await looked(source_url)).as_dict())
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert page.count("<svg") >= 4


async def test_an_empty_database_is_told_apart(postgres_server: str, schema_url: str) -> None:
    found = (await looked(schema_url)).as_dict()
    assert found["problems"] == [
        "None of the old tables is in this database: name the one that has them by --source."
    ]
    assert found["rows"] == 0
