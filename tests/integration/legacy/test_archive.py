"""The archive: files that psql reads back, and the old tables gone only when those are there."""

import asyncio
import gzip
import shutil
import subprocess
from pathlib import Path

import psycopg
import pytest

from rushes.adapters.postgres.legacy import open_legacy
from rushes.adapters.storage.local import LocalStorage
from rushes.domain.errors import Conflict
from rushes.legacy.archive import Archive, archive, restore
from tests.integration.legacy.steps import TABLES, back, cut, passed, rows, take_all, wait
from tests.postgres import drop_database, fresh_database

ODD = "tab\there, line\nbreak, back\\slash, \\N, \\. and ñ"


@pytest.fixture
def cut_url(sample_url: str) -> str:
    rows(sample_url, "UPDATE multitalk_jobs SET error_message = %s WHERE job_id = 'prompt-0016'", ODD)
    take_all(sample_url)
    cut(sample_url)
    passed(sample_url)
    return sample_url


def store(url: str, folder: Path, *, yes: bool = False) -> Archive:
    async def run() -> Archive:
        storage = LocalStorage(folder)
        await storage.start()
        async with open_legacy(url) as database:
            return await archive(database, storage, yes=yes)

    return wait(run())


def bring_back(url: str, folder: Path) -> Archive:
    async def run() -> Archive:
        async with open_legacy(url) as database:
            return await restore(database, LocalStorage(folder))

    return wait(run())


def old_rows(url: str, schema: str = "legacy_archive") -> dict[str, list[dict[str, object]]]:
    return {name: rows(url, f"SELECT t::text AS t FROM {schema}.{name} AS t ORDER BY 1") for name in TABLES}


def definition(url: str) -> list[dict[str, object]]:
    """Columns, constraints, indexes, triggers, policies and rights of the archived tables."""
    return rows(url, """
        SELECT c.relname, a.attname AS name, format_type(a.atttypid, a.atttypmod) || a.attnotnull || coalesce(pg_get_expr(d.adbin, d.adrelid), '') AS what
        FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
        LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
        WHERE c.relnamespace = 'legacy_archive'::regnamespace AND c.relkind = 'r'
        UNION ALL SELECT conrelid::regclass::text, conname, CASE contype WHEN 'c' THEN '' ELSE pg_get_constraintdef(oid) END FROM pg_constraint
        WHERE connamespace = 'legacy_archive'::regnamespace AND contype <> 'n'
        UNION ALL SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'legacy_archive'
        UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) || tgenabled::text FROM pg_trigger
        WHERE tgrelid::regclass::text LIKE 'legacy_archive%%' AND NOT tgisinternal AND tgname NOT LIKE 'rushes%%'
        UNION ALL SELECT tablename, policyname, concat_ws(' ', permissive, roles, cmd, qual, with_check) FROM pg_policies WHERE schemaname = 'legacy_archive'
        UNION ALL SELECT relname, 'rights', array(SELECT unnest(relacl)::text ORDER BY 1)::text || relrowsecurity FROM pg_class
        WHERE relnamespace = 'legacy_archive'::regnamespace AND relkind = 'r'
        ORDER BY 1, 2, 3""")  # fmt: skip


def test_stored_dropped_restored_and_rolled_back(cut_url: str, tmp_path: Path) -> None:
    rows(cut_url, "GRANT SELECT, UPDATE ON legacy_archive.multitalk_jobs TO service_role")
    held, defined = old_rows(cut_url), definition(cut_url)
    kept = store(cut_url, tmp_path)
    assert not kept.dropped
    assert {dump.table: dump.rows for dump in kept.dumps} == {name: len(held[name]) for name in TABLES}
    assert store(cut_url, tmp_path, yes=True).dropped
    assert rows(cut_url, "SELECT 1 FROM pg_class WHERE relnamespace = 'legacy_archive'::regnamespace") == []
    assert len(rows(cut_url, "SELECT * FROM multitalk_jobs")) == 16  # the views stay
    rows(cut_url, "UPDATE multitalk_jobs SET width = 7 WHERE job_id = 'prompt-0016'")
    with pytest.raises(Conflict, match="--restore"):
        back(cut_url)
    with pytest.raises(Conflict, match="archived and dropped already"):
        store(cut_url, tmp_path)

    bring_back(cut_url, tmp_path)
    assert old_rows(cut_url) == held
    assert definition(cut_url) == defined
    back(cut_url)
    [row] = rows(
        cut_url, "SELECT width, error_message FROM public.multitalk_jobs WHERE job_id = 'prompt-0016'"
    )
    assert row == {"width": 7, "error_message": ODD}


@pytest.mark.skipif(shutil.which("psql") is None, reason="psql is not installed")
def test_psql_restores_it_without_us(cut_url: str, tmp_path: Path, postgres_server: str) -> None:
    kept = store(cut_url, tmp_path)
    elsewhere = fresh_database(postgres_server)
    for dump in kept.dumps:
        text = gzip.decompress((tmp_path / dump.key).read_bytes())
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", elsewhere], input=text, check=True)
    assert old_rows(elsewhere) == old_rows(cut_url)
    drop_database(elsewhere)


def test_it_drops_nothing_that_has_no_equal_job_or_file(cut_url: str, tmp_path: Path) -> None:
    rows(cut_url, "UPDATE legacy_archive.multitalk_jobs SET width = 5 WHERE job_id = 'prompt-0016'")
    with pytest.raises(Conflict, match=r"prompt-0016 \(differs\)"):
        store(cut_url, tmp_path, yes=True)
    rows(cut_url, "UPDATE legacy_archive.multitalk_jobs SET width = 640 WHERE job_id = 'prompt-0016'")
    kept = store(cut_url, tmp_path)
    passed(cut_url, "failed")
    with pytest.raises(Conflict, match="has not passed"):
        store(cut_url, tmp_path, yes=True)
    passed(cut_url)
    store(cut_url, tmp_path, yes=True)
    path = tmp_path / kept.dumps[0].key
    newest = max(path.parent.parent.iterdir()) / path.name
    newest.write_bytes(newest.read_bytes()[:-20])
    with pytest.raises(Conflict, match="checksum differs"):
        bring_back(cut_url, tmp_path)
    assert rows(cut_url, "SELECT 1 FROM pg_class WHERE relnamespace = 'legacy_archive'::regnamespace") == []


def test_an_interrupted_archive_goes_on_under_its_name(cut_url: str, tmp_path: Path) -> None:
    class Broken(Exception):
        pass

    def stop(name: str, done: int, total: int) -> None:
        if name == "edited_images":
            raise Broken

    async def run() -> None:
        storage = LocalStorage(tmp_path)
        await storage.start()
        async with open_legacy(cut_url) as database:
            with pytest.raises(Broken):
                await archive(database, storage, progress=stop)

    asyncio.run(run())
    done = store(cut_url, tmp_path)
    [begun] = rows(
        cut_url,
        "SELECT details ->> 'stamp' AS stamp FROM rushes_legacy.log WHERE step = 'archive' AND event = 'started'",
    )
    assert done.stamp == begun["stamp"]
    assert [path.name for path in (tmp_path / "archive" / "legacy").iterdir()] == [done.stamp]


def test_nothing_to_archive_before_the_cut_over(sample_url: str, tmp_path: Path) -> None:
    with pytest.raises(Conflict, match="Nothing is cut over"):
        store(sample_url, tmp_path)
    with psycopg.connect(sample_url) as connection:
        assert connection.execute("SELECT count(*) FROM multitalk_jobs").fetchone() == (16,)
