"""Everything through a transaction pooler: each statement may be on another connection, and those are anybody's next."""

import asyncio
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from rushes.adapters.postgres.migrations import migrate
from rushes.adapters.postgres.pool import Database
from rushes.domain.principal import ANON
from rushes.testing.comfyui import DemoServer
from tests.integration.app.database import app_database
from tests.integration.app.stand import Stand
from tests.integration.app.types import SLEEPER, install, sleeper_graph
from tests.integration.schema.people import OWNER, STRANGER
from tests.integration.supabase.conftest import Project
from tests.integration.supabase.pooler import CONNECTIONS, pooled, program
from tests.postgres import reachable_folder

WHO = "SELECT current_user::text, auth.uid(), current_setting('statement_timeout')"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    program()
    with tempfile.TemporaryDirectory(dir=reachable_folder(), prefix="rushes-pooler-") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def direct(postgres_server: str, folder: Path) -> Iterator[str]:
    with app_database(postgres_server) as url:
        yield url


@pytest.fixture(scope="module")
def through(direct: str, folder: Path) -> Iterator[str]:
    with pooled(direct, folder) as url:
        yield url


@pytest.fixture(scope="module")
def app(direct: str, through: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """API and two dispatchers that only poll: the database is nowhere else than behind the pooler."""
    types = tmp_path_factory.mktemp("types")
    install(types, "sleep", SLEEPER, sleeper_graph())
    with (
        DemoServer(extra_nodes=True) as demo,
        Stand(
            through,
            tmp_path_factory.mktemp("app"),
            comfy_urls=[demo.url],
            workflows_dir=types,
            database_pooler=True,
            dispatchers=2,
        ) as stand,
    ):
        yield stand


def connections(direct: str) -> list[tuple[object, ...]]:
    with psycopg.connect(direct) as connection:
        return connection.execute(
            "SELECT pid, application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()


def test_jobs_of_several_people(app: Stand, direct: str) -> None:
    people = [app.person() for _ in range(3)]

    def work(number: int) -> list[str]:
        person = people[number]
        return [person.submit("sleep", {"seconds": 0.05})["id"] for _ in range(5)]

    with ThreadPoolExecutor(3) as crew:
        jobs = list(crew.map(work, range(3)))
    for person, own in zip(people, jobs, strict=True):
        for job in own:
            person.completed(job, seconds=60)
        assert {job["id"] for job in person.get("/api/jobs").json()["data"]} == set(own)
    foreign = people[0].get(f"/api/jobs/{jobs[1][0]}")
    assert foreign.status_code == 404
    assert len(connections(direct)) <= CONNECTIONS


def test_the_live_feed_cancels_and_edits(app: Stand) -> None:
    person = app.person()
    with person.listening() as events:
        job = person.submit("sleep", {"seconds": 30})["id"]
        person.until(job, lambda job: job["status"] == "processing")
        person.post(f"/api/jobs/{job}/cancel")
        events.until(lambda event: event.name == "job" and event.data["status"] == "cancelled")
        person.patch(f"/api/jobs/{job}", json={"title": "a title"})
        events.until(lambda event: event.name == "job" and event.data["title"] == "a title")


def test_uploads_keys_and_administrators(app: Stand) -> None:
    admin = app.admin()
    assert admin.get("/api/users").status_code == 200
    assert admin.get("/readyz").status_code == 200
    made = admin.post("/api/keys", json={"name": "script", "scopes": ["read"]})
    assert made.status_code == 201, made.text
    script = app.stranger()
    script.headers["Authorization"] = f"Bearer {made.json()['key']}"
    for _ in range(10):  # more often than psycopg waits before it prepares a statement
        assert script.get("/api/me").json()["id"] == admin.id


@pytest.mark.anyio
async def test_no_role_stays_on_a_connection(through: str) -> None:
    """Many at once on few connections, half of them failing."""

    async def one(database: Database, number: int) -> None:
        who = (OWNER, STRANGER, ANON)[number % 3]
        found = await database.fetch_as(who, WHO)
        assert found == (who.role, who.user_id, "15s")
        try:
            await database.fetch_as(who, "SELECT * FROM api_keys, storage_outbox")
        except psycopg.errors.InsufficientPrivilege:
            pass
        assert (await database.fetch(WHO)) == ("service_role", None, "1min")

    async with Database(through, prepare_threshold=None, max_size=20) as database:
        await asyncio.gather(*(one(database, number) for number in range(90)))
    with psycopg.connect(through, autocommit=True, prepare_threshold=None) as connection:
        for _ in range(20):
            left = connection.execute(
                "SELECT current_user = session_user, coalesce(current_setting('request.jwt.claims', true), ''),"
                " current_setting('statement_timeout'), (SELECT count(*) FROM pg_prepared_statements)"
            ).fetchone()
            assert left == (True, "", "0", 0)


@pytest.mark.anyio
async def test_the_migrations_through_it(project: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    program()
    with (
        tempfile.TemporaryDirectory(dir=reachable_folder(), prefix="rushes-pooler-") as made,
        pooled(project.url, Path(made)) as url,
    ):
        assert await migrate(url)
        assert await migrate(url) == []
        async with Database(url, prepare_threshold=None) as database:
            await database.check()
