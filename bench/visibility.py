"""What asking as a person costs: role, claims and row level security, against the same pages as the tables' owner."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow

from bench import figures, places
from rushes.adapters.postgres.filters import job_filter
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.principal import Principal
from rushes.ports import JobQuery

ROWS = (
    Path(__file__).parents[1] / "tests/integration/feed/many_jobs.sql"
)  # 200,000, of which 99% are others' private ones
ME = Principal(user_id=UUID("00000000-0000-4000-8000-000000000001"))
PAGES = {
    "everyone": JobQuery(),
    "mine": JobQuery(scope="mine"),
    "a type": JobQuery(workflow_types=("wan-i2v",)),
    "a common word": JobQuery(q="portrait"),
    "a rare word": JobQuery(q="dragonfly"),
    "a tag": JobQuery(tag="keep"),
}
FEED = query("feed_page")


def fill(url: str) -> None:
    """The rows of the tests' plans."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET session_replication_role = replica")
        for statement in ROWS.read_text().strip().split(";\n\n"):
            connection.execute(statement.encode())
        connection.execute("VACUUM ANALYZE")


@asynccontextmanager
async def owner(url: str) -> AsyncIterator[AsyncConnection[TupleRow]]:
    """The superuser, whom no policy stops; the claims only say whose jobs `mine` are."""
    async with await AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("SELECT set_config('request.jwt.claims', %s, false)", (ME.claims(),))
        yield connection


async def milliseconds(ask: Callable[[], Awaitable[Any]]) -> float:
    began = time.perf_counter()
    await ask()
    return (time.perf_counter() - began) * 1000


async def page(name: str, database: Database, plain: AsyncConnection[TupleRow], rounds: int) -> figures.Row:
    """Turn by turn, so that both meet the same machine."""
    asked = PAGES[name]
    params = {"filter": job_filter(asked), "everyone": asked.scope == "all", "most": 50}

    async def as_person() -> Any:
        return await database.fetch_as(ME, FEED, params)

    async def as_owner() -> Any:
        return await (await plain.execute(FEED, params)).fetchone()

    same = (await as_person())[0] == (await as_owner())[0]
    assert same, f"{name}: the two don't see the same page"
    times: dict[str, list[float]] = {"person": [], "owner": []}
    for number in range(rounds + 10):
        took = {"person": await milliseconds(as_person), "owner": await milliseconds(as_owner)}
        for who, one in took.items() if number >= 10 else ():
            times[who].append(one)
    person, plainly = quartile(times["person"]), quartile(times["owner"])
    return {
        "page": name,
        "as a person ms": person,
        "as owner ms": plainly,
        "ratio": person / plainly,
        "ratio of medians": median(times["person"]) / median(times["owner"]),
    }


def quartile(values: list[float]) -> float:
    """The lower one: of a machine that is shared, the quicker rounds are those in which nobody else ran."""
    return sorted(values)[len(values) // 4]


async def run(url: str, rounds: int) -> list[figures.Row]:
    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database(url, max_size=1))
        plain = await stack.enter_async_context(owner(url))
        return [await page(name, database, plain, rounds) for name in PAGES]


def main(arguments: Sequence[str]) -> None:
    parser = figures.options(__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    options: argparse.Namespace = parser.parse_args(arguments)
    print(figures.machine())
    with places.folder() as at, places.postgres(at) as url:
        fill(url)
        rows = asyncio.run(run(url, options.rounds))
    figures.show("a page of 50 jobs, 200,000 in the table", rows)
    figures.keep(options.out, "visibility", rows)
