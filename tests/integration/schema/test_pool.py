"""The pool: whose statements they are, what happens to a connection afterwards, and errors in words."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any, LiteralString, cast
from uuid import uuid4

import anyio
import psycopg
import pytest

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.adapters.postgres.sessions import is_direct
from rushes.domain.errors import Unavailable
from rushes.domain.principal import ANON, Principal
from tests.integration.schema.people import OWNER, STRANGER
from tests.postgres import in_database

pytestmark = pytest.mark.anyio
WHO = "SELECT current_user::text, auth.uid(), session_user <> current_user"


async def steps(database: Database, who: Principal | None, *statements: LiteralString) -> None:
    """Several statements in one transaction."""
    async with database.as_user(who) if who else database.service() as connection:
        for statement in statements:
            await connection.execute(statement)


@pytest.fixture
async def database(stage_url: str) -> AsyncIterator[Database]:
    async with Database(stage_url, min_size=1, max_size=1, acquire_timeout=5) as database:
        yield database


async def test_every_way_takes_its_role(database: Database) -> None:
    service, owner, nobody = (
        ("service_role", None, True),
        ("authenticated", OWNER.user_id, True),
        ("anon", None, True),
    )
    assert await database.fetch(WHO) == service
    assert await database.fetch_all(WHO) == [service]
    assert await database.fetch_as(OWNER, WHO) == owner
    assert await database.fetch_all_as(ANON, WHO) == [nobody]
    async with database.service() as connection:
        assert await (await connection.execute(WHO)).fetchone() == service
    async with database.as_user(OWNER) as connection:
        assert await (await connection.execute(WHO)).fetchone() == owner
    assert await database.fetch(WHO) == service


async def test_no_role_is_left_on_a_connection(database: Database) -> None:
    """The pool has one connection: whoever comes next gets the same one."""

    async def left() -> object:
        async with database._pool.connection() as connection:
            cursor = await connection.execute(
                "SELECT current_user = session_user, coalesce(current_setting('request.jwt.claims', true), ''),"
                " current_setting('statement_timeout')"
            )
            return await cursor.fetchone()

    clean = (True, "", "0")
    assert await left() == clean
    await database.fetch_as(OWNER, WHO)
    assert await left() == clean
    for wrong in (
        "SELECT 1 / 0",
        "SELECT nothing",
        "SELECT * FROM api_keys",
        "COMMIT",
        "SELECT pg_sleep('x')",
    ):
        try:
            await database.fetch_as(OWNER, wrong)
        except psycopg.Error:
            pass
        assert await left() == clean
    with pytest.raises(psycopg.errors.DivisionByZero):
        await steps(database, OWNER, WHO, "SELECT 1 / 0")
    assert await left() == clean
    with anyio.move_on_after(0.1):
        await database.fetch_as(OWNER, "SELECT pg_sleep(30)")
    assert await left() == clean


async def test_a_statement_that_fails_leaves_nothing(database: Database) -> None:
    user = uuid4()
    insert = "INSERT INTO auth.users (id) VALUES (%(id)s)"
    with pytest.raises(psycopg.errors.DivisionByZero):
        await steps(database, None, f"INSERT INTO auth.users (id) VALUES ('{user}')", "SELECT 1 / 0")
    assert await database.fetch("SELECT 1 FROM auth.users WHERE id = %(id)s", {"id": user}) is None
    assert await database.execute(insert, {"id": user}) == 1
    assert await database.fetch("SELECT 1 FROM auth.users WHERE id = %(id)s", {"id": user}) == (1,)


async def test_a_person_may_not_write_what_the_service_may(database: Database) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        await database.fetch_as(STRANGER, "DELETE FROM workflow_jobs")
    assert await database.execute("DELETE FROM workflow_jobs WHERE false") == 0


async def test_claims_are_data(database: Database) -> None:
    """Whatever stands in them, it stays inside the JSON."""
    odd = Principal(user_id=OWNER.user_id, email="'; RESET ROLE; --")
    assert await database.fetch_as(odd, WHO) == ("authenticated", OWNER.user_id, True)


async def test_one_round_trip(database: Database, stage_url: str) -> None:
    """A socket in between counts how often it had to turn round."""
    turns = 0
    host, port = await _address(stage_url)

    async def relay(client: asyncio.StreamReader, answers: asyncio.StreamWriter) -> None:
        nonlocal turns
        server, requests = await asyncio.open_connection(host, port)

        async def answer() -> None:
            while data := await server.read(65536):
                answers.write(data)
            answers.close()

        answering = asyncio.create_task(answer())
        while data := await client.read(65536):
            turns += 1
            requests.write(data)
        requests.close()
        await answering

    listener = await asyncio.start_server(relay, "127.0.0.1", 0)
    async with listener:
        there = psycopg.conninfo.make_conninfo(
            stage_url, host="127.0.0.1", port=listener.sockets[0].getsockname()[1], sslmode="disable"
        )
        async with Database(there, min_size=1, max_size=1) as through:
            await through.fetch_as(OWNER, WHO)
            turns = 0
            for _ in range(10):
                await through.fetch_as(OWNER, WHO)
            assert turns == 10


async def _address(url: str) -> tuple[str, int]:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    host = str(parts.get("host") or "127.0.0.1")
    if host.startswith("/"):
        pytest.skip("the server listens on a socket file only")
    return host, int(parts.get("port") or 5432)


async def test_without_prepared_statements(stage_url: str) -> None:
    async with Database(stage_url, prepare_threshold=None, max_size=1) as database:
        for _ in range(10):
            assert await database.fetch_as(OWNER, WHO) == ("authenticated", OWNER.user_id, True)
        assert await database.fetch("SELECT count(*) FROM pg_prepared_statements") == (0,)


@pytest.mark.parametrize("pooled", [False, True])
async def test_what_need_not_be_durable_is_not_waited_for(stage_url: str, pooled: bool) -> None:
    """Through a transaction pooler it is: nothing of a session may be changed there."""
    async with Database(stage_url, prepare_threshold=None if pooled else 5) as database:
        show = "SELECT current_user::text, current_setting('synchronous_commit'), current_setting('statement_timeout')"
        assert await database.fetch(show) == ("service_role", "on", "1min")
        assert await database.fetch(show, durable=False) == (
            "service_role",
            "on" if pooled else "off",
            "1min",
        )


async def test_a_pooler_in_between_is_noticed(stage_url: str) -> None:
    """It answers with a process number of its own."""
    async with await psycopg.AsyncConnection.connect(stage_url) as connection:
        assert await is_direct(connection)

        class Pooled:
            info = SimpleNamespace(backend_pid=connection.info.backend_pid + 1)
            execute = connection.execute

        assert not await is_direct(cast(Any, Pooled))


async def test_the_name_is_shown_to_the_administrator(database: Database) -> None:
    assert await database.fetch("SELECT current_setting('application_name')") == ("rushes",)


async def test_an_unreachable_server(stage_url: str) -> None:
    with pytest.raises(Unavailable, match=r"127\.0\.0\.1:1.*check that it runs and that RUSHES_DATABASE_URL"):
        async with Database("postgresql://rushes:hunter2@127.0.0.1:1/jobs"):
            pass


async def test_a_database_that_does_not_exist(stage_url: str) -> None:
    with pytest.raises(Unavailable, match="does not exist"):
        async with Database(in_database(stage_url, "nowhere")):
            pass


async def test_a_pool_that_is_used_up(stage_url: str) -> None:
    async with Database(stage_url, max_size=1, acquire_timeout=0.2) as database, database.service():
        with pytest.raises(Unavailable, match="became free in time"):
            await database.fetch_as(OWNER, WHO)


async def test_a_pool_that_is_closed(stage_url: str) -> None:
    database = Database(stage_url)
    await database.open()
    await database.close()
    with pytest.raises(Unavailable, match="stopping"):
        await database.fetch(WHO)


async def test_a_query_that_takes_too_long(stage_url: str) -> None:
    async with Database(stage_url, person_timeout=0.1) as database:
        with pytest.raises(Unavailable, match="too long"):
            await database.fetch_as(OWNER, "SELECT pg_sleep(30)")
        assert await database.fetch("SELECT pg_sleep(0.2)::text") == ("",)


async def test_a_read_only_database(database: Database) -> None:
    insert = "INSERT INTO storage_outbox (action, target) VALUES ('delete_keys', '[]')"
    with pytest.raises(Unavailable, match="read-only"):
        await steps(database, None, "SET TRANSACTION READ ONLY", insert)


@pytest.mark.parametrize(("state", "words"), [("53100", "disk is full"), ("53300", "no more connections"), ("53200", "out of memory"), ("40P01", "try again"), ("55P03", "lock")])  # fmt: skip
async def test_what_the_server_can_not_help(database: Database, state: str, words: str) -> None:
    with pytest.raises(Unavailable, match=words):
        async with database.service() as connection:
            await connection.execute(f"DO $$ BEGIN RAISE 'no' USING ERRCODE = '{state}'; END $$")


async def test_a_connection_that_is_cut_is_replaced(database: Database) -> None:
    backend = await database.fetch("SELECT pg_backend_pid()")
    assert backend
    with psycopg.connect(database.dsn, autocommit=True) as administrator:
        administrator.execute("SELECT pg_terminate_backend(%s, 5000)", backend)
    with pytest.raises(Unavailable):
        await database.fetch(WHO)
    assert await database.fetch(WHO) == ("service_role", None, True)


async def test_queries_are_files_of_the_package() -> None:
    assert query("hidden_tables").startswith("-- ")
    with pytest.raises(FileNotFoundError):
        query("no_such_query")
