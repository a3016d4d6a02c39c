"""A takeover: rows a second of migrate as a ratio to one plain INSERT … SELECT of the same rows into the same
indexed table, and of verify; memory of this process and of the server's."""

import asyncio
import resource
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from typing import Any

import psycopg

from bench.figures import keep, machine, options, show
from bench.old_rows import fill
from bench.places import folder, postgres
from rushes.adapters.postgres.legacy import open_legacy
from rushes.bootstrap.takeover import comparing_elsewhere
from rushes.legacy.transfer import Choices, migrate
from rushes.legacy.verify import verify


def main(arguments: list[str]) -> None:
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="old rows")
    parser.add_argument("--batch", type=int, default=Choices().batch_rows, help="rows a transaction")
    asked = parser.parse_args(arguments)
    with folder() as at, postgres(at) as url:
        row = measured(url, asked.rows, asked.batch)
    show(f"Takeover of {asked.rows:,} rows ({machine()})", [row])
    keep(asked.out, "legacy", [row])


def measured(url: str, rows: int, batch: int) -> dict[str, Any]:
    """All three rates on one database."""
    with psycopg.connect(url, autocommit=True) as connection:
        fill(connection, rows)
        with clock() as taken:
            asyncio.run(_migrate(url, batch))
        taking = taken()
        with clock() as taken:
            asyncio.run(_verify(url))
        verifying = taken()
        count = connection.execute("SELECT count(*) FROM workflow_jobs").fetchone()
        connection.execute("CREATE TABLE kept AS SELECT * FROM workflow_jobs")
        connection.execute("TRUNCATE workflow_jobs CASCADE")
        connection.execute("CHECKPOINT")
        with clock() as taken:
            connection.execute("INSERT INTO workflow_jobs SELECT * FROM kept")
        plain = taken()
    assert count
    n = int(count[0])
    return {
        "rows": n,
        "migrate/s": round(n / taking),
        "plain/s": round(n / plain),
        "ratio": round(plain / taking, 2),
        "verify/s": round(n / verifying),
        "memory MB": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


async def _migrate(url: str, batch: int) -> None:
    async with open_legacy(url) as source, open_legacy(url) as target:
        await migrate(source, target, apart=False, choices=Choices(batch_rows=batch))


async def _verify(url: str) -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        async with open_legacy(url) as source, open_legacy(url) as target:
            done = await verify(
                source, target, apart=False, elsewhere=comparing_elsewhere(url, url, pool), processes=2
            )
        assert done.right, [one.as_dict() for one in done.differences[:5]]


@contextmanager
def clock() -> Iterator[Callable[[], float]]:
    """Afterwards, how long the block took, in seconds."""
    began = time.perf_counter()
    ended: list[float] = []
    yield lambda: ended[0] - began
    ended.append(time.perf_counter())
