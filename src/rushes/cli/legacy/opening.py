"""The database of the steps that need old and new in one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rushes.adapters.postgres.legacy import PostgresLegacy, open_legacy
from rushes.adapters.postgres.migrations import migrate
from rushes.bootstrap.installation import database_url
from rushes.cli.options import settings


@asynccontextmanager
async def one_database(data_dir: Path | None) -> AsyncIterator[PostgresLegacy]:
    """The installation's, its schema up to date. Raises Unavailable."""
    async with database_url(settings(data_dir)) as url:
        await migrate(url)
        async with open_legacy(url) as database:
            yield database
