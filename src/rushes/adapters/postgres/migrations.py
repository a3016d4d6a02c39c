"""Brings the schema up to date, and books it where the Supabase CLI does, so that the two agree."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from rushes.adapters.postgres.bootstrap import check_version, prepare
from rushes.adapters.postgres.problems import explained
from rushes.adapters.postgres.statements import split_statements
from rushes.domain.errors import InvalidSetting

_NAME = re.compile(r"(?P<version>\d+)_(?P<name>.*)\.sql")
_NOISE = re.compile(r"[\s;]+")
_LOCK: LiteralString = "SELECT pg_advisory_xact_lock(hashtextextended('rushes:migrate', 0))"
# Word for word what the Supabase CLI makes.
_BOOKS: tuple[LiteralString, ...] = (
    "CREATE SCHEMA IF NOT EXISTS supabase_migrations",
    "CREATE TABLE IF NOT EXISTS supabase_migrations.schema_migrations (version text NOT NULL PRIMARY KEY)",
    "ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS statements text[]",
    "ALTER TABLE supabase_migrations.schema_migrations ADD COLUMN IF NOT EXISTS name text",
)


@dataclass(frozen=True)
class Migration:
    """One file of the schema."""

    version: str
    name: str
    path: Path

    @cached_property
    def statements(self) -> list[str]:
        return split_statements(self.path.read_text("utf-8"))


class MigrationState(StrEnum):
    """What the database says of a migration."""

    APPLIED = "applied"
    PENDING = "pending"
    CHANGED = "changed"  # applied, but the file says something else now
    UNKNOWN = "unknown"  # applied by somebody else, or by a newer Rushes


@dataclass(frozen=True, slots=True)
class MigrationStatus:
    """A line of `rushes db status`."""

    version: str
    name: str
    state: MigrationState


def migrations_directory() -> Path:
    """Where the files are: inside an installed package, or at the top of a checkout."""
    package = Path(__file__).resolve().parents[2]
    for place in (package / "_migrations", package.parents[1] / "supabase" / "migrations"):
        if place.is_dir():
            return place
    raise InvalidSetting(f"The migration files are missing beside {package}: install Rushes again.")


def migrations(directory: Path | None = None) -> list[Migration]:
    """The migrations in the order in which they apply."""
    found = [
        Migration(named["version"], named["name"], path)
        for path in (directory or migrations_directory()).iterdir()
        if (named := _NAME.fullmatch(path.name))
    ]
    return sorted(found, key=lambda migration: migration.version)


async def migrate(dsn: str, *, directory: Path | None = None) -> list[str]:
    """Apply what is missing, each file in one transaction; the file names applied.

    Safe in several processes at once. Raises InvalidSetting (rights, server too old) or Unavailable.
    """
    async with _connection(dsn) as connection:
        await prepare(connection)
        await _open_books(connection)
        return [m.path.name for m in migrations(directory) if await _apply(connection, m)]


async def make_roles(dsn: str) -> None:
    """Make what a dump takes for granted. Raises InvalidSetting or Unavailable."""
    async with _connection(dsn) as connection:
        await prepare(connection)


async def status(dsn: str, *, directory: Path | None = None) -> list[MigrationStatus]:
    """Every migration that the files or the database know, oldest first."""
    async with _connection(dsn) as connection:
        booked = await _booked(connection)
    known = {migration.version: migration for migration in migrations(directory)}
    lines = [MigrationStatus(m.version, m.name, _state(m, booked)) for m in known.values()]
    lines += [
        MigrationStatus(version, name or "", MigrationState.UNKNOWN)
        for version, (name, _) in booked.items()
        if version not in known
    ]
    return sorted(lines, key=lambda line: line.version)


@asynccontextmanager
async def _connection(dsn: str) -> AsyncIterator[AsyncConnection[TupleRow]]:
    with explained(dsn):
        # nothing prepared and no session state: a transaction pooler will do
        async with await AsyncConnection.connect(
            dsn,
            autocommit=True,
            prepare_threshold=None,
            connect_timeout=10,
            application_name="rushes migrate",
        ) as connection:
            check_version(connection)
            yield connection


async def _open_books(connection: AsyncConnection[TupleRow]) -> None:
    if await _has_books(connection):
        return
    async with connection.transaction():
        await connection.execute(_LOCK)
        # asked again: IF NOT EXISTS alone may still believe what this connection knew before the lock
        if not await _has_books(connection):
            for statement in _BOOKS:
                await connection.execute(statement)


async def _has_books(connection: AsyncConnection[TupleRow]) -> bool:
    cursor = await connection.execute(
        "SELECT count(*) = 3 FROM pg_catalog.pg_attribute"
        " WHERE attrelid = to_regclass('supabase_migrations.schema_migrations')"
        " AND attname IN ('version', 'statements', 'name') AND NOT attisdropped"
    )
    row = await cursor.fetchone()
    return bool(row and row[0])


async def _booked(connection: AsyncConnection[TupleRow]) -> dict[str, tuple[str | None, list[str] | None]]:
    if not await _has_books(connection):
        return {}
    cursor = await connection.execute(
        "SELECT version, name, statements FROM supabase_migrations.schema_migrations"
    )
    return {version: (name, statements) for version, name, statements in await cursor.fetchall()}


async def _apply(connection: AsyncConnection[TupleRow], migration: Migration) -> bool:
    async with connection.transaction():
        await connection.execute(_LOCK)
        cursor = await connection.execute(
            "SELECT FROM supabase_migrations.schema_migrations WHERE version = %s", (migration.version,)
        )
        if cursor.rowcount:
            return False
        # from here on, rather fail than hold up everybody behind a long transaction
        await connection.execute("SET LOCAL lock_timeout = '10s'")
        for statement in migration.statements:
            await _run(connection, migration, statement)
        await connection.execute(
            "INSERT INTO supabase_migrations.schema_migrations (version, name, statements) VALUES (%s, %s, %s)",
            (migration.version, migration.name, migration.statements),
        )
    return True


async def _run(connection: AsyncConnection[TupleRow], migration: Migration, statement: str) -> None:
    try:
        await connection.execute(statement)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        first_line = next(line for line in statement.splitlines() if line and not line.startswith("--"))
        hint = f" {error.diag.message_hint}" if error.diag.message_hint else ""
        raise InvalidSetting(
            f"{migration.path.name} can't be applied, and was undone: {error.diag.message_primary}.{hint} "
            f"(in: {first_line})"
        ) from error


def _state(migration: Migration, booked: dict[str, tuple[str | None, list[str] | None]]) -> MigrationState:
    if migration.version not in booked:
        return MigrationState.PENDING
    _, statements = booked[migration.version]
    if statements and _essence(statements) != _essence(migration.statements):
        return MigrationState.CHANGED
    return MigrationState.APPLIED


def _essence(statements: list[str]) -> str:
    """The text alone: the CLI may cut and trim in other places."""
    return _NOISE.sub("", "".join(statements))
