"""A takeover as one command sees it: the database of the old tables, the installation's, and its storage."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import Executor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from rushes.adapters.postgres.legacy import open_legacy
from rushes.adapters.postgres.migrations import migrate
from rushes.bootstrap.installation import database_url
from rushes.bootstrap.storing import Store, open_storage
from rushes.legacy.verify import Part, Share, compare
from rushes.ports.legacy import LegacyDatabase
from rushes.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    """`source` and `target` are two connections, also where the database is one."""

    settings: Settings
    dsn: str
    source_dsn: str
    source: LegacyDatabase
    target: LegacyDatabase
    apart: bool  # two databases


@asynccontextmanager
async def open_takeover(
    settings: Settings, source: str | None = None, *, migrated: bool = True
) -> AsyncIterator[Takeover]:
    """Connect, and bring the installation's schema up to date unless the step only reads."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(database_url(settings))
        if migrated:
            await migrate(dsn)
        yield Takeover(
            settings=settings,
            dsn=dsn,
            source_dsn=source or dsn,
            source=await stack.enter_async_context(open_legacy(source or dsn)),
            target=await stack.enter_async_context(open_legacy(dsn)),
            apart=source is not None and source != dsn,
        )


@asynccontextmanager
async def takeover_storage(settings: Settings) -> AsyncIterator[Store]:
    """The installation's object storage."""
    async with open_storage(settings) as storage:
        yield storage


def comparing_elsewhere(
    source: str, target: str, pool: Executor, *, processes: int, hurry: bool = False
) -> Callable[[Share], Awaitable[Part]]:
    """Compares shares in the pool's processes; so many there are, with this one."""

    def elsewhere(share: Share) -> Awaitable[Part]:
        return asyncio.get_running_loop().run_in_executor(
            pool, partial(_compare, source, target, share, processes=processes, hurry=hurry)
        )

    return elsewhere


def _compare(source: str, target: str, share: Share, *, processes: int, hurry: bool) -> Part:
    async def run() -> Part:
        async with open_legacy(source) as old, open_legacy(target) as new:
            return await compare(old, new, share, processes=processes, hurry=hurry)

    return asyncio.run(run())
