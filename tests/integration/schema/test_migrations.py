"""The migrations runner: order, books, locks, and what it says when it can't."""

import asyncio
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import psycopg
import pytest

from rushes.adapters.postgres.migrations import (
    MigrationState,
    migrate,
    migrations,
    migrations_directory,
    status,
)
from rushes.domain.errors import InvalidSetting, Unavailable
from tests.integration.schema.dump import dump

pytestmark = pytest.mark.anyio
FILES = [migration.path.name for migration in migrations()]
BOOKS = "supabase_migrations.schema_migrations"


def copied(folder: Path, count: int) -> Path:
    for migration in migrations()[:count]:
        shutil.copy(migration.path, folder)
    return folder


def execute(url: str, *statements: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


async def states(url: str, directory: Path | None = None) -> dict[str, MigrationState]:
    return {line.version: line.state for line in await status(url, directory=directory)}


async def test_a_second_time_changes_nothing(empty_url: str) -> None:
    assert await migrate(empty_url) == FILES
    before = dump(empty_url)
    assert await migrate(empty_url) == []
    assert dump(empty_url) == before
    assert set((await states(empty_url)).values()) == {MigrationState.APPLIED}


async def test_two_at_once_share_the_work(empty_url: str) -> None:
    done = await asyncio.gather(*(migrate(empty_url) for _ in range(4)))
    assert sorted(name for names in done for name in names) == FILES


async def test_whoever_waited_looks_again(empty_url: str) -> None:
    """The schema appears between the first look and the lock."""
    with psycopg.connect(empty_url) as first:
        first.execute("SELECT pg_advisory_xact_lock(hashtextextended('rushes:migrate', 0))")
        second = asyncio.create_task(migrate(empty_url))
        await until_somebody_waits(empty_url)
        first.execute("CREATE SCHEMA supabase_migrations")
        first.execute(f"CREATE TABLE {BOOKS} (version text PRIMARY KEY, statements text[], name text)")
    assert await second == FILES


async def until_somebody_waits(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(1000):
            if connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                return
            await anyio.sleep(0.01)
    pytest.fail("nobody waits for the lock")


@pytest.mark.parametrize("first", range(1, len(FILES)))
async def test_an_upgrade_ends_where_a_new_database_begins(
    empty_url: str, database_url: str, tmp_path: Path, first: int
) -> None:
    await migrate(empty_url, directory=copied(tmp_path, first))
    assert await migrate(empty_url) == FILES[first:]
    assert dump(empty_url) == dump(database_url)


async def test_the_books_are_the_supabase_clis(empty_url: str) -> None:
    await migrate(empty_url)
    with psycopg.connect(empty_url) as connection:
        columns = connection.execute(
            "SELECT attname, format_type(atttypid, NULL), attnotnull FROM pg_attribute"
            f" WHERE attrelid = '{BOOKS}'::regclass AND attnum > 0 ORDER BY attnum"
        ).fetchall()
        booked = connection.execute(f"SELECT version, name, statements[1] FROM {BOOKS} ORDER BY 1").fetchall()
    assert columns == [("version", "text", True), ("statements", "text[]", False), ("name", "text", False)]
    assert [f"{version}_{name}.sql" for version, name, _ in booked] == FILES
    assert not any(first.endswith(";") for _, _, first in booked)


async def test_what_the_cli_applied_is_not_applied_again(empty_url: str) -> None:
    """The CLI cuts a file into its own pieces and may leave `statements` empty (`migration repair`)."""
    await migrate(empty_url)
    execute(
        empty_url,
        f"UPDATE {BOOKS} SET statements = ARRAY[array_to_string(statements, E';\\n\\n') || ';']",
        f"UPDATE {BOOKS} SET statements = NULL WHERE version = (SELECT max(version) FROM {BOOKS})",
        f"ALTER TABLE {BOOKS} ADD COLUMN created_by text",
        f"INSERT INTO {BOOKS} (version, name) VALUES ('20200101000000', 'somebody_elses')",
    )
    assert await migrate(empty_url) == []
    found = await states(empty_url)
    assert found.pop("20200101000000") == MigrationState.UNKNOWN
    assert set(found.values()) == {MigrationState.APPLIED}


async def test_older_books_get_their_columns(empty_url: str) -> None:
    execute(
        empty_url,
        "CREATE SCHEMA supabase_migrations",
        f"CREATE TABLE {BOOKS} (version text PRIMARY KEY)",
    )
    assert await migrate(empty_url) == FILES


async def test_status_before_the_first_migration(empty_url: str) -> None:
    assert set((await states(empty_url)).values()) == {MigrationState.PENDING}


async def test_a_file_that_was_changed_afterwards_is_shown(empty_url: str, tmp_path: Path) -> None:
    directory = copied(tmp_path, 1)
    await migrate(empty_url, directory=directory)
    file = directory / FILES[0]
    file.write_text(file.read_text("utf-8") + "\nSELECT 1;\n", "utf-8")
    assert await migrate(empty_url, directory=directory) == []
    assert list((await states(empty_url, directory)).values()) == [MigrationState.CHANGED]


async def test_a_file_applies_whole_or_not_at_all(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "1_good.sql").write_text("CREATE TABLE good ();", "utf-8")
    (tmp_path / "2_bad.sql").write_text("CREATE TABLE half ();\n-- why\nSELECT nowhere FROM half;\n", "utf-8")
    (tmp_path / "README.md").write_text("not a migration", "utf-8")
    with pytest.raises(InvalidSetting, match=r"2_bad\.sql can't be applied.*nowhere.*in: SELECT nowhere"):
        await migrate(empty_url, directory=tmp_path)
    found = await states(empty_url, tmp_path)
    assert found == {"1": MigrationState.APPLIED, "2": MigrationState.PENDING}
    with psycopg.connect(empty_url) as connection:
        assert connection.execute("SELECT to_regclass('good'), to_regclass('half')").fetchone() == (
            "good",
            None,
        )


async def test_an_unreachable_server_is_named_without_its_password(empty_url: str) -> None:
    url = urlsplit(empty_url)._replace(netloc="rushes:hunter2@127.0.0.1:1").geturl()
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1.*RUSHES_DATABASE_URL") as failure:
        await migrate(url)
    assert "hunter2" not in str(failure.value)


async def test_a_file_waits_for_no_lock_for_ever(empty_url: str, tmp_path: Path) -> None:
    (tmp_path / "1_table.sql").write_text("CREATE TABLE busy ();", "utf-8")
    await migrate(empty_url, directory=tmp_path)
    (tmp_path / "2_alter.sql").write_text(
        "SET LOCAL lock_timeout = '50ms';\nALTER TABLE busy ADD COLUMN a int;", "utf-8"
    )
    with psycopg.connect(empty_url) as connection:
        connection.execute("LOCK TABLE busy")
        with pytest.raises(Unavailable, match="holds a lock"):
            await migrate(empty_url, directory=tmp_path)
    assert await migrate(empty_url, directory=tmp_path) == ["2_alter.sql"]


async def test_files_are_found_in_a_checkout() -> None:
    assert (migrations_directory() / FILES[0]).is_file()
    versions = [migration.version for migration in migrations()]
    assert versions == sorted(set(versions))
    assert all(len(version) == 14 for version in versions)
