"""The connections of a takeover: long sessions of their own, beside the pool."""

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

from psycopg import AsyncClientCursor, AsyncConnection, errors
from psycopg.rows import TupleRow
from psycopg.types.json import set_json_loads
from psycopg.types.string import TextLoader

from rushes.adapters.postgres.problems import explained, where
from rushes.domain.errors import Conflict, Unavailable
from rushes.ports.legacy import Row

Params = Mapping[str, Any]
_CONCURRENTLY = re.compile(r"\s(?:index)\s+concurrently\s", re.IGNORECASE)
_PAUSE_SECONDS = 0.5
_decode = json.JSONDecoder().decode


class PostgresLegacy:
    """The port LegacyDatabase. Use `open_legacy`."""

    def __init__(self, dsn: str, connection: AsyncConnection[TupleRow]) -> None:
        self._dsn = dsn
        self._connection = connection
        self.place = where(dsn)

    async def fetch(self, statement: str, params: Params | None = None) -> list[Row]:
        with explained(self._dsn):
            cursor = await self._connection.execute(statement.encode(), params)
            return await cursor.fetchall() if cursor.description else []

    async def execute(self, statement: str, params: Params | None = None) -> int:
        with explained(self._dsn):
            return (await self._connection.execute(statement.encode(), params)).rowcount

    async def copy_rows(self, into: str, rows: Sequence[Row]) -> None:
        with explained(self._dsn):
            async with (
                self._connection.cursor() as cursor,
                cursor.copy(f"COPY {into} FROM STDIN".encode()) as copy,
            ):
                for row in rows:
                    await copy.write_row(row)

    async def copy_from(self, source: Any, select: str, params: Params, into: str) -> None:
        assert isinstance(source, PostgresLegacy)
        with explained(self._dsn):
            # COPY takes no parameters, so they are written into it
            async with (
                AsyncClientCursor(source._connection) as reading,
                self._connection.cursor() as writing,
                reading.copy(f"COPY ({select}) TO STDOUT (FORMAT binary)".encode(), params) as coming,
                writing.copy(f"COPY {into} FROM STDIN (FORMAT binary)".encode()) as going,
            ):
                async for block in coming:
                    await going.write(block)

    async def copy_out(self, table: str) -> AsyncIterator[bytes]:
        with explained(self._dsn):
            async with (
                self._connection.cursor() as cursor,
                cursor.copy(f"COPY {table} TO STDOUT".encode()) as copy,
            ):
                async for block in copy:
                    yield bytes(block)

    async def copy_in(self, into: str, text: AsyncIterator[bytes]) -> None:
        with explained(self._dsn):
            async with (
                self._connection.cursor() as cursor,
                cursor.copy(f"COPY {into} FROM STDIN".encode()) as copy,
            ):
                async for block in text:
                    await copy.write(block)

    @asynccontextmanager
    async def transaction(self, *, lock_seconds: float | None = None) -> AsyncIterator["PostgresLegacy"]:
        with explained(self._dsn):
            async with self._connection.transaction():
                if lock_seconds is not None:
                    await self.execute(
                        "SELECT set_config('lock_timeout', %(limit)s, true)", {"limit": f"{lock_seconds:g}s"}
                    )
                yield self

    async def patiently(
        self, statement: str, params: Params | None = None, *, lock_seconds: float = 1, tries: int = 60
    ) -> None:
        for left in reversed(range(tries)):
            try:
                await self._once(statement, params, lock_seconds)
            except Unavailable as error:
                if not left or not isinstance(
                    error.__cause__, errors.LockNotAvailable | errors.DeadlockDetected
                ):
                    raise
                await asyncio.sleep(_PAUSE_SECONDS)
            else:
                return

    async def _once(self, statement: str, params: Params | None, lock_seconds: float) -> None:
        if not _CONCURRENTLY.search(statement):
            async with self.transaction(lock_seconds=lock_seconds):
                await self.execute(statement, params)
            return
        try:
            # it waits for other transactions without keeping anybody from a lock: no limit
            await self.execute(statement, params)
        except errors.QueryCanceled as error:
            raise Unavailable("The index was not built: try again.") from error

    async def stream(
        self, statement: str, params: Params | None = None, *, size: int = 1000
    ) -> AsyncIterator[list[Row]]:
        with explained(self._dsn):
            async with self._connection.transaction(), self._connection.cursor("rows_of_takeover") as cursor:
                await cursor.execute(statement.encode(), params)
                while block := await cursor.fetchmany(size):
                    yield block

    @asynccontextmanager
    async def lock(self, name: str) -> AsyncIterator[None]:
        asked = {"name": f"rushes:legacy:{name}"}
        if not (await self.fetch("SELECT pg_try_advisory_lock(hashtextextended(%(name)s, 0))", asked))[0][0]:
            raise Conflict(f"Another `rushes legacy` command is at work on {self.place}: wait until it ends.")
        try:
            yield
        finally:
            with suppress(Unavailable):  # a connection that is lost holds no lock
                await self.fetch("SELECT pg_advisory_unlock(hashtextextended(%(name)s, 0))", asked)

    @asynccontextmanager
    async def another(self) -> AsyncIterator["PostgresLegacy"]:
        async with open_legacy(self._dsn) as connection:
            yield connection


def _json(told: str | bytes) -> Any:
    """The library would look at each value's encoding first; a server's is known."""
    return _decode(told if isinstance(told, str) else str(told, "utf-8"))


@asynccontextmanager
async def open_legacy(dsn: str) -> AsyncIterator[PostgresLegacy]:
    """A connection for a takeover. Raises Unavailable. It must reach the server itself, not a transaction pooler."""
    with explained(dsn):
        connection = await AsyncConnection.connect(
            dsn, autocommit=True, connect_timeout=10, application_name="rushes legacy"
        )
    async with connection:
        for kind in ("timestamptz", "timestamp", "date"):
            connection.adapters.register_loader(kind, TextLoader)
        set_json_loads(_json, connection)
        await connection.execute("SELECT set_config('statement_timeout', '0', false)")
        await connection.execute("SELECT set_config('timezone', 'UTC', false)")
        await connection.execute("SELECT set_config('idle_in_transaction_session_timeout', '0', false)")
        yield PostgresLegacy(dsn, connection)
