import asyncio
from collections.abc import Iterator

import psycopg
import pytest

from rushes.adapters.postgres.migrations import migrate
from tests.integration.schema.people import Stage
from tests.postgres import drop_database, fresh_database, template_database


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def schema_template(postgres_server: str) -> str:
    """A database with all migrations, made once per session."""
    return template_database(postgres_server, "rushes_schema", lambda url: void(asyncio.run(migrate(url))))


@pytest.fixture
def database_url(postgres_server: str, schema_template: str) -> Iterator[str]:
    """A database of this test's own, with the schema and nothing else."""
    url = fresh_database(postgres_server, template=schema_template)
    yield url
    drop_database(url)


@pytest.fixture
def empty_url(postgres_server: str) -> Iterator[str]:
    """A database of this test's own, with nothing in it."""
    url = fresh_database(postgres_server)
    yield url
    drop_database(url)


@pytest.fixture(scope="module")
def stage_url(postgres_server: str, schema_template: str) -> Iterator[str]:
    url = fresh_database(postgres_server, template=schema_template)
    yield url
    drop_database(url)


@pytest.fixture(scope="module")
def shared_stage(stage_url: str) -> Iterator[Stage]:
    """People and jobs that a whole module looks at; what a test changes is undone."""
    with psycopg.connect(stage_url) as connection:
        stage = Stage(connection)
        stage.furnish()
        connection.commit()
        yield stage


@pytest.fixture
def stage(shared_stage: Stage) -> Iterator[Stage]:
    shared_stage.connection.execute("SELECT")  # from here on everything is one transaction, never committed
    yield shared_stage
    shared_stage.connection.rollback()


def void(_: object) -> None:
    return None
