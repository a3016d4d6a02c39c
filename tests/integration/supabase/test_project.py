"""The migrations on a project as Supabase hosts it: applied by a role that is no superuser, beside schemas that are not ours."""

import shutil
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege

from rushes.adapters.postgres.migrations import migrate, migrations
from rushes.adapters.postgres.pool import Database
from tests.integration.schema.people import ADMIN, OWNER, PEOPLE, STRANGER, VISITOR, Stage
from tests.integration.supabase.conftest import Project

pytestmark = pytest.mark.anyio

FILES = [migration.path for migration in migrations()]
USABLE = next(number for number, path in enumerate(FILES, 1) if path.stem.endswith("_feed"))
# What a customer may not change there: everything but foreign keys that point to it, and triggers on it.
THEIRS = """
    SELECT 'relation ' || c.oid::regclass || ' ' || c.relowner::regrole || ' ' || coalesce(c.relacl::text, '')
        || ' ' || c.relrowsecurity
    FROM pg_class AS c WHERE c.relnamespace = ANY (ARRAY['auth', 'storage', 'extensions']::regnamespace[])
    UNION ALL
    SELECT 'function ' || p.oid::regprocedure || md5(p.prosrc) || coalesce(p.proacl::text, '')
    FROM pg_proc AS p WHERE p.pronamespace = ANY (ARRAY['auth', 'storage', 'extensions']::regnamespace[])
    UNION ALL
    SELECT 'schema ' || nspname || coalesce(nspacl::text, '') FROM pg_namespace
    WHERE nspname IN ('auth', 'storage', 'extensions', 'public')
    UNION ALL
    SELECT 'policy ' || polname || polrelid::regclass FROM pg_policy
    WHERE polrelid::regclass::text ~ '^(auth|storage)[.]'
    UNION ALL
    SELECT 'role ' || rolname || rolbypassrls || rolcreaterole || rolinherit || coalesce(rolconfig::text, '') FROM pg_roles
    UNION ALL
    SELECT 'member ' || roleid::regrole || ' of ' || member::regrole FROM pg_auth_members
    ORDER BY 1"""


def theirs(project: Project) -> list[str]:
    with psycopg.connect(project.superuser) as connection:
        return [row for (row,) in connection.execute(THEIRS)]


def up_to(folder: Path, count: int) -> Path:
    for path in FILES[:count]:
        shutil.copy(path, folder)
    return folder


def furnish(project: Project) -> dict[str, UUID]:
    """People as GoTrue makes them, a job of each status, and what is beside them."""
    with psycopg.connect(project.superuser) as connection:
        for person in (OWNER, STRANGER, VISITOR, ADMIN):
            connection.execute(
                "INSERT INTO auth.users (id, is_anonymous) VALUES (%s, %s)",
                (person.user_id, person.is_anonymous),
            )
        stage = Stage(connection)
        jobs = {
            status: stage.job_in(status, OWNER, visibility)
            for status, visibility in (
                ("pending", "private"), ("processing", "team"), ("completed", "public"), ("failed", "private"),
            )
        }  # fmt: skip
        stage.ask(
            None, "INSERT INTO uploads (id, user_id, filename, key, size_bytes)"
            " VALUES (gen_random_uuid(), %s, 'a.png', 'uploads/a.png', 7)", OWNER.user_id,
        )  # fmt: skip
    return jobs


def seen(project: Project) -> dict[str, int]:
    """How many jobs each role sees, by the login that PostgREST uses."""
    with psycopg.connect(project.authenticator) as connection:
        stage = Stage(connection)
        return {name: len(stage.ask(who, "SELECT id FROM workflow_jobs")) for name, who in PEOPLE.items()}


SEEN = {"anon": 1, "owner": 4, "stranger": 2, "visitor": 1, "admin": 4, "service": 4}


async def test_a_new_project(project: Project) -> None:
    before = theirs(project)
    await migrate(project.url)
    assert theirs(project) == before
    async with Database(project.url) as database:
        await database.check()
    furnish(project)
    assert seen(project) == SEEN


@pytest.mark.parametrize("count", sorted({USABLE, len(FILES) - 1}))
async def test_an_upgrade_with_rows(project: Project, tmp_path: Path, count: int) -> None:
    await migrate(project.url, directory=up_to(tmp_path, count))
    jobs = furnish(project)
    before = theirs(project)
    assert seen(project) == SEEN
    assert await migrate(project.url) == [path.name for path in FILES[count:]]
    assert theirs(project) == before
    assert seen(project) == SEEN
    with psycopg.connect(project.superuser) as connection:
        stage = Stage(connection)
        for status, job in jobs.items():
            assert stage.one(None, "SELECT status FROM workflow_jobs WHERE id = %s", job) == (status,)
        stage.move(jobs["processing"], "completed")
        (stored,) = stage.one(None, "SELECT bytes FROM rushes.user_bytes WHERE user_id = %s", OWNER.user_id)
        assert stored == 7, "what was stored before the upgrade counts"


async def test_people_reach_nothing_by_themselves(project: Project) -> None:
    """Not in our schemas, and not in Supabase's through ours."""
    await migrate(project.url)
    furnish(project)
    with psycopg.connect(project.authenticator) as connection:
        stage = Stage(connection)
        for who in (PEOPLE["anon"], STRANGER, VISITOR, ADMIN):
            for statement in (
                "SELECT * FROM auth.users",
                "SELECT rushes.people(NULL, NULL, 10)",
                "SELECT rushes.account_by_email('a@example.org')",
                f"SELECT rushes.set_admin('{STRANGER.user_id}', true)",
                "CREATE TABLE rushes.mine ()",
                "CREATE TABLE public.mine ()",
            ):
                with pytest.raises(InsufficientPrivilege):
                    stage.ask(who, statement)


async def test_an_account_that_supabase_deletes_leaves_nothing(project: Project) -> None:
    await migrate(project.url)
    furnish(project)
    with psycopg.connect(project.superuser) as connection:
        connection.execute("SET LOCAL ROLE supabase_auth_admin")
        connection.execute("DELETE FROM auth.users WHERE id = %s", (OWNER.user_id,))
        connection.execute("RESET ROLE")
        left = connection.execute("SELECT count(*) FROM public.workflow_jobs").fetchone()
        booked = connection.execute("SELECT count(*) FROM public.storage_outbox").fetchone()
    assert left == (0,)
    assert booked
    assert booked[0] >= 5, "four folders and an upload are to be deleted"
