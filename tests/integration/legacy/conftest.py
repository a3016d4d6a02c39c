import asyncio
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rushes.adapters.postgres.bootstrap import prepare
from rushes.adapters.postgres.migrations import migrate
from tests.postgres import drop_database, fresh_database, template_database

DATA = Path(__file__).parents[2] / "data" / "legacy"


def load_legacy(url: str, *files: str) -> None:
    """The old schema, and what else is named."""

    async def roles() -> None:
        async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
            await prepare(connection)

    asyncio.run(roles())
    with psycopg.connect(url, autocommit=True) as connection:
        for name in ("schema.sql", *files):
            connection.execute((DATA / name).read_bytes())


def _schema(url: str) -> None:
    asyncio.run(migrate(url))


def _taken_over(url: str) -> None:
    asyncio.run(migrate(url))
    load_legacy(url)


def _source(url: str) -> None:
    load_legacy(url, "sample.sql")


def _sample(url: str) -> None:
    asyncio.run(migrate(url))
    load_legacy(url, "sample.sql")


@pytest.fixture(scope="session")
def schema_template(postgres_server: str) -> str:
    return template_database(postgres_server, "rushes_legacy_schema", _schema)


@pytest.fixture(scope="session")
def empty_template(postgres_server: str) -> str:
    return template_database(postgres_server, "rushes_legacy_empty", _taken_over)


@pytest.fixture(scope="session")
def sample_template(postgres_server: str) -> str:
    return template_database(postgres_server, "rushes_legacy_sample", _sample)


@pytest.fixture(scope="session")
def source_template(postgres_server: str) -> str:
    """The sample alone, as a database that knows nothing of Rushes."""
    return template_database(postgres_server, "rushes_legacy_source", _source)


@pytest.fixture
def schema_url(postgres_server: str, schema_template: str) -> Iterator[str]:
    """The new schema alone."""
    url = fresh_database(postgres_server, template=schema_template)
    yield url
    drop_database(url)


@pytest.fixture
def empty_url(postgres_server: str, empty_template: str) -> Iterator[str]:
    """The new schema, and the old tables without a row."""
    url = fresh_database(postgres_server, template=empty_template)
    yield url
    drop_database(url)


@pytest.fixture
def sample_url(postgres_server: str, sample_template: str) -> Iterator[str]:
    """The new schema, and the old tables with the sample's rows."""
    url = fresh_database(postgres_server, template=sample_template)
    yield url
    drop_database(url)


@pytest.fixture
def source_url(postgres_server: str, source_template: str) -> Iterator[str]:
    """The old tables with the sample's rows, in a database of their own."""
    url = fresh_database(postgres_server, template=source_template)
    yield url
    drop_database(url)
