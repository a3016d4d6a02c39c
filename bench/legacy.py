"""A takeover: rows a second of migrate as a ratio to one plain INSERT … SELECT of the same rows into the same
indexed tables, and of verify; CPU a row of the whole server, and memory, of this process and of the server's.

The plain INSERT writes what migrate has written (jobs, datasets, their items), in the same order, from a copy."""

import asyncio
import os
import resource
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import psycopg

from bench.figures import keep, machine, options, show
from bench.old_rows import fill
from bench.places import cpu_seconds, folder, postgres
from rushes.adapters.postgres.legacy import open_legacy
from rushes.bootstrap.takeover import comparing_elsewhere
from rushes.legacy.transfer import Choices, migrate
from rushes.legacy.verify import verify

WRITTEN = ("workflow_jobs", "caption_datasets", "caption_dataset_items")
_SAMPLE_SECONDS = 1.0


def main(arguments: list[str]) -> None:
    parser = options(__doc__)
    parser.add_argument("--rows", type=int, default=200_000, help="old rows")
    parser.add_argument("--batch", type=int, default=Choices().batch_rows, help="rows a transaction")
    parser.add_argument("--workers", type=int, default=Choices().workers, help="connections of migrate")
    parser.add_argument(
        "--processes", type=int, default=max(os.cpu_count() or 1, 2), help="processes of verify"
    )
    asked = parser.parse_args(arguments)
    with folder() as at, postgres(at) as url:
        choices = Choices(batch_rows=asked.batch, workers=asked.workers)
        row = measured(url, asked.rows, choices, asked.processes)
    show(f"Takeover of {asked.rows:,} rows ({machine()})", [row])
    keep(asked.out, "legacy", [row])


def measured(url: str, rows: int, choices: Choices, processes: int) -> dict[str, Any]:
    """All three rates on one database."""
    with psycopg.connect(url, autocommit=True) as connection:
        with phase(url, "the old tables"):
            fill(connection, rows)
        with phase(url, "migrate") as taking:
            asyncio.run(_migrate(url, choices))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        with phase(url, "verify") as verifying:
            asyncio.run(_verify(url, processes))
        count = connection.execute("SELECT count(*) FROM workflow_jobs").fetchone()
        with phase(url, "a copy of what was written"):
            for table in WRITTEN:
                connection.execute(f"CREATE UNLOGGED TABLE kept_{table} AS SELECT * FROM {table}".encode())
            connection.execute("TRUNCATE workflow_jobs CASCADE")
            connection.execute("CHECKPOINT")
        with phase(url, "INSERT … SELECT") as plain:
            for table in WRITTEN:
                connection.execute(f"INSERT INTO {table} SELECT * FROM kept_{table}".encode())
    assert count
    n = int(count[0])
    return {
        "rows": n,
        "migrate/s": round(n / taking.seconds),
        "plain/s": round(n / plain.seconds),
        "ratio": round(plain.seconds / taking.seconds, 2),
        "verify/s": round(n / verifying.seconds),
        "migrate CPU us": round(taking.cpu / n * 1e6, 1),
        "plain CPU us": round(plain.cpu / n * 1e6, 1),
        "memory MB": memory,
        "server MB early": taking.memory_early(),
        "late": taking.memory_late(),
    }


async def _migrate(url: str, choices: Choices) -> None:
    async with open_legacy(url) as source, open_legacy(url) as target:
        await migrate(source, target, apart=False, choices=choices)


async def _verify(url: str, processes: int) -> None:
    with ProcessPoolExecutor(processes - 1 or 1, get_context("spawn")) as pool:
        async with open_legacy(url) as source, open_legacy(url) as target:
            elsewhere = comparing_elsewhere(url, url, pool, processes=processes)
            done = await verify(source, target, apart=False, elsewhere=elsewhere, processes=processes)
        assert done.right, [one.as_dict() for one in done.differences[:5]]


@dataclass(slots=True)
class Phase:
    """What a phase took: wall and CPU seconds (all of the server's processes), and the server's memory every second."""

    seconds: float = 0
    cpu: float = 0
    memory: list[int] = field(default_factory=list)  # MB

    def memory_early(self) -> int:
        return max(self.memory[: len(self.memory) // 2 + 1], default=0)

    def memory_late(self) -> int:
        return max(self.memory[len(self.memory) // 2 :], default=0)


@contextmanager
def phase(url: str, name: str) -> Iterator[Phase]:
    """Measure the block, and say so."""
    took = Phase()
    print(f"  {name} …", flush=True)
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        server = _status(row[0], "PPid")
    with _sampled(lambda: took.memory.append(_own_memory(server) >> 10)):
        before, began = cpu_seconds(url), time.perf_counter()
        yield took
        took.seconds = time.perf_counter() - began
        took.cpu = cpu_seconds(url) - before
    print(f"  {name}: {took.seconds:,.1f} s, {took.cpu:,.1f} s of the server's CPU", flush=True)


@contextmanager
def _sampled(look: Callable[[], None]) -> Iterator[None]:
    """Look every second while the block runs."""
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_SAMPLE_SECONDS):
            look()

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield
    finally:
        over.set()
        watching.join()


def _own_memory(server: int) -> int:
    """What all processes of the server have of their own, without what they share, in kB."""
    total = 0
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if _status(int(entry.name), "PPid") == server:
                    total += _status(int(entry.name), "RssAnon")
            except (FileNotFoundError, ProcessLookupError):
                continue
    return total


def _status(pid: int, name: str) -> int:
    """A number of /proc/pid/status; 0 where it isn't there."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    return 0
