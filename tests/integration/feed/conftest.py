import asyncio
from collections.abc import AsyncIterator, Iterator

import psycopg
import pytest

from rushes.adapters.postgres.migrations import migrate
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.reader import PostgresJobReader
from tests.integration.feed.people import PEOPLE
from tests.integration.feed.rows import add_people
from tests.postgres import drop_database, fresh_database, template_database


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def _prepare(url: str) -> None:
    asyncio.run(migrate(url))
    with psycopg.connect(url) as connection:
        add_people(connection, PEOPLE)


@pytest.fixture(scope="session")
def people_template(postgres_server: str) -> str:
    """The schema and a few accounts."""
    return template_database(postgres_server, "rushes_feed", _prepare)


@pytest.fixture(scope="module")
def feed_url(postgres_server: str, people_template: str) -> Iterator[str]:
    """A database that the tests of a module share."""
    url = fresh_database(postgres_server, template=people_template)
    yield url
    drop_database(url)


@pytest.fixture(scope="module")
async def database(feed_url: str) -> AsyncIterator[Database]:
    async with Database(feed_url, max_size=4) as database:
        yield database


@pytest.fixture(scope="module")
def reader(database: Database) -> PostgresJobReader:
    return PostgresJobReader(database)
