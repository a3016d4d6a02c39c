"""Connections that are the service role's for as long as they live.

On them one statement is one transaction, with no word before or after it: a third of the work of a transaction that
takes its role for itself only. They need the database's own ear; through a pooler a session may be anybody's next.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, LiteralString

from psycopg import AsyncConnection, AsyncCursor
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

_BE_SERVICE: LiteralString = (
    "SELECT set_config('role', 'service_role', false),"
    """ set_config('request.jwt.claims', '{"role": "service_role"}', false),"""
    " set_config('statement_timeout', %s, false)"
)
# Commits aren't waited for: whatever is committed durably after them makes them durable, too.
_HASTY: LiteralString = "SET synchronous_commit = off"


async def is_direct(connection: AsyncConnection[TupleRow]) -> bool:
    """Whether no pooler is in between: those invent the number of the process that answers."""
    cursor = await connection.execute("SELECT pg_backend_pid()")
    row = await cursor.fetchone()
    return row is not None and row[0] == connection.info.backend_pid


class ServiceSessions:
    """A pool of them; `hasty` ones don't wait for their commits to be flushed."""

    def __init__(
        self, dsn: str, *, max_size: int, hasty: bool, statement_timeout: str, options: Mapping[str, Any]
    ) -> None:
        self._hasty = hasty
        self._statement_timeout = statement_timeout
        self._pool = AsyncConnectionPool(
            dsn, open=False, min_size=1, max_size=max_size, configure=self._prepare, **options
        )

    async def open(self) -> None:
        await self._pool.open(wait=True, timeout=self._pool.timeout)

    async def close(self) -> None:
        await self._pool.close()

    @asynccontextmanager
    async def run(
        self, statement: LiteralString, params: Mapping[str, Any] | None
    ) -> AsyncIterator[AsyncCursor[TupleRow]]:
        """One statement, committed when it is done."""
        async with self._pool.connection() as connection:
            yield await connection.execute(statement, params)

    async def _prepare(self, connection: AsyncConnection[TupleRow]) -> None:
        await connection.execute(_BE_SERVICE, (self._statement_timeout,))
        if self._hasty:
            await connection.execute(_HASTY)
