"""The steps of a takeover as tests need them: everything migrated, cut over, back again."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import psycopg
from psycopg.rows import dict_row

from rushes.adapters.postgres.legacy import open_legacy
from rushes.legacy.changes import drain
from rushes.legacy.cutover import Choices, Cutover, cut_over
from rushes.legacy.log import note
from rushes.legacy.rollback import Rollback, roll_back
from rushes.legacy.transfer import migrate
from rushes.legacy.verify import Verification, verify
from tests.integration.legacy.old_app import Told

T = TypeVar("T")
TABLES = ("multitalk_jobs", "style_transfers", "edited_images", "datasets", "data")


def wait(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


def take_all(url: str) -> None:
    """Every old row has its job, and verify has passed."""

    async def run() -> None:
        async with open_legacy(url) as database:
            await migrate(database, database, apart=False)

    wait(run())
    passed(url)


def passed(url: str, event: str = "passed") -> None:
    async def say_so() -> None:
        async with open_legacy(url) as database:
            await note(database, "verify", event)

    wait(say_so())


def cut(url: str, *, dry_run: bool = False, **choices: Any) -> Cutover:
    async def run() -> Cutover:
        async with open_legacy(url) as database:
            return await cut_over(database, choices=Choices(**choices), drain=drain, dry_run=dry_run)

    return wait(run())


def back(url: str, *, dry_run: bool = False) -> Rollback:
    async def run() -> Rollback:
        async with open_legacy(url) as database:
            return await roll_back(database, dry_run=dry_run)

    return wait(run())


def verified(url: str) -> Verification:
    """By the row rules as they stand in Python, which no view knows."""

    async def run() -> Verification:
        async with open_legacy(url) as source, open_legacy(url) as target:
            return await verify(source, target, apart=False)

    return wait(run())


def rows(url: str, statement: str, *params: Any) -> list[dict[str, Any]]:
    with psycopg.connect(url, row_factory=dict_row, autocommit=True) as connection:
        connection.execute("SET timezone = 'UTC'")
        cursor = connection.execute(statement.encode(), params)
        return cursor.fetchall() if cursor.description else []


def contents(url: str, told: Told) -> dict[str, Any]:
    """The old tables, or views, whole; masked as `told` has it."""
    order = {
        "multitalk_jobs": "job_id",
        "datasets": "name, created_at",
        "data": "(SELECT name FROM datasets AS d WHERE d.id = dataset_id), created_at, image_name",
    }
    return {
        name: told.masked(rows(url, f"SELECT * FROM {name} ORDER BY {order.get(name, 'prompt, created_at')}"))
        for name in TABLES
    }
