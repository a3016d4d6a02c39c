import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from rushes.adapters.postgres.migrations import migrate
from tests.integration.claim.yard import Yard
from tests.postgres import drop_database, fresh_database, template_database


def _prepare(url: str) -> None:
    asyncio.run(migrate(url))


@pytest.fixture(scope="session")
def claim_template(postgres_server: str) -> str:
    return template_database(postgres_server, "rushes_claim", _prepare)


@pytest.fixture
def claim_url(postgres_server: str, claim_template: str) -> Iterator[str]:
    """A database of this test's own, with the schema and nothing else."""
    url = fresh_database(postgres_server, template=claim_template)
    yield url
    drop_database(url)


@pytest.fixture
async def yard(claim_url: str) -> AsyncIterator[Yard]:
    async with Yard.opened(claim_url) as yard:
        yield yard
