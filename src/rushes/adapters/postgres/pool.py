"""The connections to the database, and as whom their statements run.

No statement runs as the user who connects: every transaction starts by taking a role, for itself only, so that
it works through a transaction pooler; where there is none, single statements of the service role have sessions of
their own. Row level security then decides, on every kind of server alike.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, LiteralString, Self

from psycopg import AsyncConnection, AsyncCursor, errors, pq
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from rushes.adapters.postgres.flushes import Flushes
from rushes.adapters.postgres.problems import explained, where
from rushes.adapters.postgres.queries import query
from rushes.adapters.postgres.sessions import ServiceSessions, is_direct
from rushes.domain.errors import InvalidSetting, Unavailable
from rushes.domain.principal import Principal

Params = Mapping[str, Any]

_SERVICE = ("service_role", '{"role": "service_role"}')
_UNFINISHED = {pq.TransactionStatus.INTRANS, pq.TransactionStatus.INERROR}
# As PostgREST does it; `true` is SET LOCAL.
_BECOME: LiteralString = (
    "SELECT set_config('role', %s, true), set_config('request.jwt.claims', %s, true),"
    " set_config('statement_timeout', %s, true)"
)


class Database:
    """A pool of connections; each transaction runs as the service role or as a person.

    `prepare_threshold` None is for transaction poolers. Time-outs are in seconds. Everything raises
    Unavailable when the database can't be reached or can't write.
    """

    def __init__(
        self,
        dsn: str,
        *,
        min_size: int = 1,
        max_size: int = 10,
        prepare_threshold: int | None = 5,
        application_name: str = "rushes",
        acquire_timeout: float = 10,
        service_timeout: float = 60,
        person_timeout: float = 15,
    ) -> None:
        self.dsn = dsn
        self._service_timeout = f"{service_timeout:g}s"
        self._person_timeout = f"{person_timeout:g}s"
        options: dict[str, Any] = {
            "timeout": acquire_timeout,
            "name": application_name,
            "kwargs": {
                "autocommit": True,
                "prepare_threshold": prepare_threshold,
                "application_name": application_name,
                "connect_timeout": max(2, int(acquire_timeout)),
            },
        }
        self._pool = AsyncConnectionPool(dsn, open=False, min_size=min_size, max_size=max_size, **options)
        self._sessions = {
            durable: ServiceSessions(
                dsn,
                max_size=max_size,
                hasty=not durable,
                statement_timeout=self._service_timeout,
                options=options,
            )
            for durable in (True, False)
        }
        self._has_sessions = prepare_threshold is not None
        self._flushes = Flushes(lambda: self.fetch(query("flush")))
        self._under_way = 0

    async def open(self) -> None:
        """Connect. Raises Unavailable, or InvalidSetting when the user who connects may not take the roles."""
        with explained(self.dsn):
            # one plain connection first: the pool retries in the background and hides the reason
            async with await AsyncConnection.connect(self.dsn, connect_timeout=10) as connection:
                await _try_roles(connection)
                self._has_sessions = self._has_sessions and await is_direct(connection)
            await self._pool.open(wait=True, timeout=self._pool.timeout)
            if self._has_sessions:
                for sessions in self._sessions.values():
                    await sessions.open()

    async def close(self) -> None:
        await self._pool.close()
        for sessions in self._sessions.values():
            await sessions.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    @asynccontextmanager
    async def service(self) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """A transaction as the service role."""
        async with self._transaction(*_SERVICE, self._service_timeout) as connection:
            yield connection

    @asynccontextmanager
    async def as_user(self, principal: Principal) -> AsyncIterator[AsyncConnection[TupleRow]]:
        """A transaction as that person, under row level security."""
        async with self._transaction(principal.role, principal.claims(), self._person_timeout) as connection:
            yield connection

    async def fetch(
        self, statement: LiteralString, params: Params | None = None, *, durable: bool = True
    ) -> TupleRow | None:
        """The first row of one statement as the service role, in one round trip.

        What isn't `durable` may be undone by a crash of the database's machine within the next second.
        """
        async with self._as_service(statement, params, durable) as cursor:
            return await cursor.fetchone() if cursor.description else None

    async def fetch_then_flush(
        self, statement: LiteralString, params: Params | None = None, *, alone_at_once: bool = False
    ) -> TupleRow | None:
        """As `fetch`, and as durable when it returns; but its locks are free before the flush is waited for.

        For statements that lock what others wait for: a server's row, a person's count. What is seen meanwhile may
        still be undone by a crash, so only what is safe to be seen too early belongs here. With `alone_at_once` it
        keeps its locks after all, and saves a round trip, while no other such statement is on its way.
        """
        together, self._under_way = self._under_way > 0, self._under_way + 1
        try:
            if alone_at_once and not together:
                return await self.fetch(statement, params)
            row = await self.fetch(statement, params, durable=False)
            if self._has_sessions:
                await self._flushes.wait()
            return row
        finally:
            self._under_way -= 1

    async def fetch_all(
        self, statement: LiteralString, params: Params | None = None, *, durable: bool = True
    ) -> list[TupleRow]:
        """All rows of one statement as the service role, in one round trip."""
        async with self._as_service(statement, params, durable) as cursor:
            return await cursor.fetchall() if cursor.description else []

    async def execute(
        self, statement: LiteralString, params: Params | None = None, *, durable: bool = True
    ) -> int:
        """Run one statement as the service role, in one round trip; how many rows it touched."""
        async with self._as_service(statement, params, durable) as cursor:
            return cursor.rowcount

    async def fetch_as(
        self, principal: Principal, statement: LiteralString, params: Params | None = None
    ) -> TupleRow | None:
        """The first row of one statement as that person: role, claims and statement in one round trip."""
        async with self._once(
            principal.role, principal.claims(), self._person_timeout, statement, params
        ) as cursor:
            return await cursor.fetchone() if cursor.description else None

    async def fetch_all_as(
        self, principal: Principal, statement: LiteralString, params: Params | None = None
    ) -> list[TupleRow]:
        """All rows of one statement as that person, in one round trip."""
        async with self._once(
            principal.role, principal.claims(), self._person_timeout, statement, params
        ) as cursor:
            return await cursor.fetchall() if cursor.description else []

    async def check(self) -> None:
        """Raise Unavailable unless the service role sees every row of every table of ours."""
        hidden = await self.fetch_all(query("hidden_tables"))
        if hidden:
            raise Unavailable(
                f"Row level security hides {', '.join(str(name) for (name,) in hidden)} from service_role "
                f"in {where(self.dsn)}: run `rushes db migrate`, or grant what it takes."
            )

    @asynccontextmanager
    async def _transaction(
        self, role: str, claims: str, timeout: str
    ) -> AsyncIterator[AsyncConnection[TupleRow]]:
        with explained(self.dsn):
            async with self._pool.connection() as connection, _undone_on_error(connection):
                async with connection.pipeline():
                    await connection.execute("BEGIN", prepare=False)
                    await connection.execute(_BECOME, (role, claims, timeout))
                yield connection
                await connection.commit()

    @asynccontextmanager
    async def _as_service(
        self, statement: LiteralString, params: Params | None, durable: bool
    ) -> AsyncIterator[AsyncCursor[TupleRow]]:
        if not self._has_sessions:
            async with self._once(*_SERVICE, self._service_timeout, statement, params) as cursor:
                yield cursor
            return
        with explained(self.dsn):
            async with self._sessions[durable].run(statement, params) as cursor:
                yield cursor

    @asynccontextmanager
    async def _once(
        self, role: str, claims: str, timeout: str, statement: LiteralString, params: Params | None
    ) -> AsyncIterator[AsyncCursor[TupleRow]]:
        with explained(self.dsn):
            async with self._pool.connection() as connection:
                async with _undone_on_error(connection), connection.pipeline():
                    # an explicit transaction: the statement must never run after the role's end
                    await connection.execute("BEGIN", prepare=False)
                    await connection.execute(_BECOME, (role, claims, timeout))
                    cursor = await connection.execute(statement, params)
                    await connection.execute("COMMIT", prepare=False)
                yield cursor


async def _try_roles(connection: AsyncConnection[TupleRow]) -> None:
    try:
        for role in ("service_role", "authenticated", "anon"):
            await connection.execute("SELECT set_config('role', %s, true)", (role,))
    except errors.InsufficientPrivilege as error:
        raise InvalidSetting(
            f"The database user {connection.info.user} may not act as the roles of Rushes. Ask an administrator "
            f'of the database to run: GRANT anon, authenticated, service_role TO "{connection.info.user}";'
        ) from error
    except errors.InvalidParameterValue as error:
        raise InvalidSetting(
            f"{where(connection.info.dsn)} isn't set up yet: run `rushes db migrate`."
        ) from error


@asynccontextmanager
async def _undone_on_error(connection: AsyncConnection[TupleRow]) -> AsyncIterator[None]:
    try:
        yield
    except BaseException:
        if connection.info.transaction_status in _UNFINISHED:
            await connection.rollback()
        raise
