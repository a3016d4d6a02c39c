"""The schema on servers that aren't ours: an ordinary owner, a careful administrator, a Supabase project."""

import asyncio
import secrets
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from urllib.parse import urlsplit

import psycopg
import pytest

from rushes.adapters.postgres.bootstrap import check_version
from rushes.adapters.postgres.embedded import EmbeddedPostgres
from rushes.adapters.postgres.migrations import migrate
from rushes.adapters.postgres.pool import Database
from rushes.domain.errors import InvalidSetting
from tests.integration.schema.dump import dump
from tests.integration.schema.people import ADMIN, OWNER, PEOPLE, STRANGER, Stage
from tests.postgres import FAST, binaries, flavours, in_database, reachable_folder

pytestmark = pytest.mark.anyio
ROLES = ("anon", "authenticated", "service_role")
SUPABASE = Path(__file__).with_name("supabase.sql")


@pytest.fixture(scope="module", params=flavours())
def server(request: pytest.FixtureRequest) -> Iterator[str]:
    """A cluster of these tests' own: roles belong to a whole cluster, and here they must be missing at first."""
    chosen = binaries(request.param)
    if chosen is None:
        pytest.skip(f"no {request.param} PostgreSQL here")
    with tempfile.TemporaryDirectory(dir=reachable_folder(), prefix="rushes-servers-") as folder:
        Path(folder).chmod(0o711)
        postgres = EmbeddedPostgres(
            Path(folder) / "data", binaries=chosen.folder, settings=FAST, system_dir=Path(folder) / "system"
        )
        yield postgres.start()
        postgres.stop()
        postgres.remove()


@pytest.fixture
def bare(server: str) -> Iterator[str]:
    """The superuser's URL of that cluster, as it was made."""
    yield server
    with psycopg.connect(server, autocommit=True) as connection:
        for (name,) in connection.execute(
            "SELECT datname FROM pg_database WHERE datname LIKE 'test_%'"
        ).fetchall():
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        rows = connection.execute(
            "SELECT rolname FROM pg_roles WHERE NOT rolsuper AND rolname NOT LIKE 'pg\\_%'"
        )
        for (name,) in rows.fetchall():
            connection.execute(f"DROP OWNED BY {name}")
            connection.execute(f"DROP ROLE {name}")


def database_of(bare: str, user: str, attributes: str = "", *, owns: bool = True) -> str:
    """A new database and its owner's URL."""
    database, password = f"test_{secrets.token_hex(4)}", secrets.token_hex(8)
    execute(bare, f"CREATE ROLE {user} LOGIN PASSWORD '{password}' {attributes}")
    execute(bare, f"CREATE DATABASE {database} TEMPLATE template0 {'OWNER ' + user if owns else ''}")
    return as_login(in_database(bare, database), user, password)


def as_login(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return parts._replace(netloc=f"{user}:{password}@{host}").geturl()


def as_superuser(bare: str, url: str) -> str:
    return in_database(bare, urlsplit(url).path[1:])


def execute(url: str, statement: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(cast(Any, statement))


def asked_for(refusal: pytest.ExceptionInfo[InvalidSetting]) -> str:
    """The SQL that the message tells the administrator to run."""
    return refusal.value.message.rpartition("to run: ")[2]


async def lives(url: str) -> None:
    """A job from submit to delete, with everybody seeing what is theirs: the policies work here too."""
    async with Database(url, max_size=2) as database:
        await database.check()
    with psycopg.connect(url) as connection:
        stage = Stage(connection)
        stage.furnish()
        seen = {name: len(stage.ask(who, "SELECT id FROM workflow_jobs")) for name, who in PEOPLE.items()}
        assert seen == {"anon": 1, "owner": 4, "stranger": 2, "visitor": 1, "admin": 4, "service": 4}
        job = stage.jobs["private"]
        stage.move(job, "completed")
        stage.touched(OWNER, "UPDATE workflow_jobs SET title = 'mine', deleted_at = now() WHERE id = %s", job)
        assert stage.one(ADMIN, "SELECT rushes.job_hidden(%s) IS NOT NULL", job) == (True,)
        assert stage.one(STRANGER, "SELECT rushes.job_hidden(%s) IS NOT NULL", job) == (False,)
        assert len(stage.ask(OWNER, "SELECT id FROM workflow_job_events WHERE job_id = %s", job)) == 4
        stage.ask(None, "DELETE FROM auth.users WHERE id = %s", OWNER.user_id)
        assert len(stage.ask(None, "SELECT id FROM storage_outbox")) >= 5
        assert stage.ask(None, "SELECT id FROM workflow_jobs") == []


async def test_an_owner_who_may_make_roles(bare: str) -> None:
    url = database_of(bare, "plain", "CREATEROLE")
    await migrate(url)
    await lives(url)


async def test_an_owner_who_may_not_is_told_what_to_ask_for(bare: str) -> None:
    url = database_of(bare, "modest")
    with pytest.raises(InvalidSetting, match="may not set up") as refusal:
        await migrate(url)
    execute(bare, asked_for(refusal))
    await migrate(url)
    await lives(url)


async def test_an_owner_without_membership_is_told_so(bare: str) -> None:
    url = database_of(bare, "lonely")
    for role in ROLES:
        execute(bare, f"CREATE ROLE {role} NOLOGIN")
    with pytest.raises(InvalidSetting) as refusal:
        await migrate(url)
    assert asked_for(refusal) == 'GRANT anon, authenticated, service_role TO "lonely";'
    execute(bare, asked_for(refusal))
    await migrate(url)


async def test_a_user_who_may_create_nothing_in_the_database_is_told_so(bare: str) -> None:
    url = database_of(bare, "guest", "CREATEROLE", owns=False)
    with pytest.raises(InvalidSetting) as refusal:
        await migrate(url)
    assert asked_for(refusal).startswith("GRANT CREATE ON DATABASE")
    execute(bare, asked_for(refusal))
    with pytest.raises(InvalidSetting, match="permission denied for schema public"):
        await migrate(url)


async def test_a_superuser(bare: str) -> None:
    url = as_superuser(bare, database_of(bare, "whoever"))
    await migrate(url)
    await lives(url)


async def test_a_login_of_its_own_for_the_application(bare: str) -> None:
    owner = database_of(bare, "dba", "CREATEROLE")
    await migrate(owner)
    execute(bare, "CREATE ROLE app LOGIN PASSWORD 'secret'")
    url = as_login(owner, "app", "secret")
    with pytest.raises(InvalidSetting, match="may not act as the roles") as refusal:
        async with Database(url):
            pass
    execute(bare, asked_for(refusal))
    await lives(url)
    with psycopg.connect(url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("ALTER TABLE workflow_jobs DISABLE TRIGGER job_update")


async def test_a_database_that_is_not_set_up(bare: str) -> None:
    url = database_of(bare, "early")
    with pytest.raises(InvalidSetting, match="rushes db migrate"):
        async with Database(url):
            pass


async def test_two_databases_of_one_server_at_once(bare: str) -> None:
    urls = [as_superuser(bare, database_of(bare, f"both_{n}")) for n in range(4)]
    await asyncio.gather(*(migrate(url) for url in urls))


async def test_a_table_that_hides_its_rows_from_the_service_is_noticed(bare: str) -> None:
    from rushes.domain.errors import Unavailable

    url = database_of(bare, "blind", "CREATEROLE")
    await migrate(url)
    execute(url, "DROP POLICY service ON workflow_job_leases")
    async with Database(url) as database:
        with pytest.raises(Unavailable, match="workflow_job_leases"):
            await database.check()


@pytest.fixture
def supabase(bare: str) -> str:
    """A database with a Supabase project's roles, schema auth, default privileges and publication."""
    url = database_of(bare, "customer", "CREATEROLE CREATEDB BYPASSRLS", owns=False)
    execute(as_superuser(bare, url), SUPABASE.read_text("utf-8"))
    return url


async def test_a_supabase_project_keeps_what_is_its_own(bare: str, supabase: str) -> None:
    def auth(url: str) -> list[str]:
        lines = {part: rows for part, rows in dump(url).items() if part != "books"}
        return [row for part in lines.values() for row in part if "auth." in row and "FOREIGN KEY" not in row]

    execute(supabase, "CREATE SCHEMA supabase_migrations; CREATE TABLE supabase_migrations.schema_migrations"
            " (version text PRIMARY KEY, statements text[], name text)")  # fmt: skip
    before = [row for row in auth(supabase) if "public." not in row]
    await migrate(supabase)
    assert before == [row for row in auth(supabase) if row in before]
    assert not [row for row in auth(supabase) if "CREATE FUNCTION auth" in row and row not in before]
    with psycopg.connect(as_superuser(bare, supabase)) as connection:
        bypass = connection.execute(
            "SELECT rolbypassrls FROM pg_roles WHERE rolname = 'service_role'"
        ).fetchone()
    assert bypass == (True,)


async def test_a_supabase_projects_default_privileges_are_taken_back(
    supabase: str, database_url: str
) -> None:
    await migrate(supabase)
    with psycopg.connect(supabase) as there, psycopg.connect(database_url) as here:
        rights = [
            sorted(
                connection.execute(
                    """
                    SELECT c.oid::regclass::text || coalesce('.' || attname, ''), grantee::regrole::text, privilege_type
                    FROM pg_class AS c
                    LEFT JOIN pg_attribute AS a ON attrelid = c.oid AND attnum > 0
                    CROSS JOIN LATERAL (
                        SELECT * FROM aclexplode(c.relacl) UNION ALL SELECT * FROM aclexplode(a.attacl)) AS granted
                    WHERE relnamespace IN ('public'::regnamespace, 'rushes'::regnamespace) AND relkind IN ('r', 'v', 'S')
                      AND grantee <> relowner
                    """
                ).fetchall()
            )
            for connection in (there, here)
        ]
    assert rights[0] == rights[1]


async def test_a_supabase_project_lives(bare: str, supabase: str) -> None:
    await migrate(supabase)
    async with Database(supabase) as database:
        await database.check()
    with psycopg.connect(as_superuser(bare, supabase)) as connection:
        published = connection.execute("SELECT tablename FROM pg_publication_tables").fetchall()
        assert published == [("workflow_jobs",)]
        stage = Stage(connection)
        connection.execute("INSERT INTO auth.users (id) VALUES (%s)", (OWNER.user_id,))
        job = stage.new_job(OWNER, "public")
        stage.touched(OWNER, "UPDATE workflow_jobs SET title = 'mine' WHERE id = %s", job)
        assert len(stage.ask(STRANGER, "SELECT id FROM workflow_jobs")) == 1
        # as GoTrue does it
        connection.execute("SET LOCAL ROLE supabase_auth_admin")
        connection.execute("DELETE FROM auth.users")
        connection.execute("RESET ROLE")
        assert stage.ask(None, "SELECT action FROM storage_outbox") == [("delete_prefix",)]


def test_a_server_that_is_too_old_is_refused() -> None:
    old = cast(Any, SimpleNamespace(info=SimpleNamespace(server_version=140013)))
    with pytest.raises(InvalidSetting, match="PostgreSQL 15 or newer, and this server is 14"):
        check_version(old)
