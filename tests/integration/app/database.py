"""A database of the whole schema for an app, copied from a template so that migrations run once a session."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from rushes.adapters.postgres.migrations import migrate
from tests.postgres import drop_database, fresh_database, template_database


def _prepare(url: str) -> None:
    asyncio.run(migrate(url))


@contextmanager
def app_database(server_url: str) -> Iterator[str]:
    """The URL of a database with the schema and nothing in it; gone after the block."""
    template = template_database(server_url, "rushes_app", _prepare)
    url = fresh_database(server_url, template=template)
    try:
        yield url
    finally:
        drop_database(url)
