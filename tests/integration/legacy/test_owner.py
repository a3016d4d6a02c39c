"""As on a hosted project: the owner of the tables is no superuser, and the old app is another role still."""

import asyncio
import secrets
from collections.abc import Iterator
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest

from rushes.adapters.postgres.migrations import migrate
from rushes.legacy.changes import drain
from tests.integration.legacy.conftest import load_legacy
from tests.integration.legacy.taking import both, expected, jobs, taken
from tests.integration.legacy.test_verify import verified
from tests.postgres import drop_database, fresh_database

pytestmark = pytest.mark.anyio


@pytest.fixture
def owned_url(postgres_server: str) -> Iterator[str]:
    url = fresh_database(postgres_server)
    name, password = f"owner_{secrets.token_hex(4)}", secrets.token_hex(8)
    asyncio.run(migrate(url))  # the roles and auth, as a project has them from the beginning
    with psycopg.connect(url, autocommit=True) as hand:
        hand.execute("DROP SCHEMA rushes, rushes_legacy, supabase_migrations CASCADE")
        hand.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
        hand.execute(f"CREATE ROLE {name} LOGIN PASSWORD '{password}' NOSUPERUSER CREATEROLE".encode())
        hand.execute(f"GRANT anon, authenticated, service_role TO {name} WITH ADMIN OPTION".encode())
        hand.execute(f"GRANT CREATE ON DATABASE {urlsplit(url).path[1:]} TO {name}".encode())
        hand.execute(f"ALTER SCHEMA public OWNER TO {name}".encode())
        hand.execute(
            f"GRANT USAGE ON SCHEMA auth TO {name}; GRANT SELECT, REFERENCES ON auth.users TO {name}".encode()
        )
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    owner = urlunsplit(parts._replace(netloc=f"{name}:{password}@{host}"))
    yield owner
    drop_database(url)
    with psycopg.connect(postgres_server, autocommit=True) as hand:
        hand.execute(f"DROP ROLE IF EXISTS {name}".encode())


async def test_an_owner_without_superuser_rights_takes_over(owned_url: str) -> None:
    await asyncio.to_thread(load_legacy, owned_url, "sample.sql")
    await migrate(owned_url)
    await taken(owned_url)
    assert jobs(owned_url) == expected()
    with psycopg.connect(owned_url, autocommit=True) as app:
        app.execute("GRANT ALL ON ALL TABLES IN SCHEMA public TO service_role")
        app.execute("SET ROLE service_role")
        app.execute("UPDATE multitalk_jobs SET status = 'completed' WHERE job_id = 'prompt-0016'")
        app.execute("RESET ROLE")
        assert app.execute("SELECT count(*) FROM rushes_legacy.changes").fetchone() == (1,)
    async with both(owned_url) as (_, target):
        assert await drain(target) == 1
    done = await verified(owned_url)
    assert done.right, [one.as_dict() for one in done.differences]
