"""1,000 servers that take 10 s a job: 100 claims and 100 finishes a second, and a heartbeat for every job that runs.

The servers are simulated, everything else is real: the statements, their pace, a PostgreSQL that writes safely.
"""

import argparse
import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar
from uuid import uuid4

import psycopg

from bench import figures, places
from rushes.adapters.postgres.dispatch import PostgresDispatchQueue
from rushes.adapters.postgres.events import PostgresJobEvents
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.servers import PostgresServerRegistry
from rushes.ports import Claim, Result, Server, SystemStats

LEASE_SECONDS = 30.0
T = TypeVar("T")
KINDS, PEOPLE, DISPATCHERS = 8, 200, 4
RESULT = Result(
    outputs={"files": [{"name": "output.png", "key": "workflows/w/x/output.png"}], "texts": [], "reused": False},
    result_urls=["/storage/x"],
    comfyui_filename="x.png",
    comfyui_subfolder="",
    comfyui_type="output",
)  # fmt: skip


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = figures.options(__doc__)
    parser.add_argument("--servers", type=int, default=1000)
    parser.add_argument("--rate", type=float, default=100.0, help="jobs that finish in a second")
    parser.add_argument("--seconds", type=float, default=20.0, help="to measure each mix for")
    parser.add_argument("--waiting", type=int, default=20_000, help="jobs in the line at first")
    chosen = parser.parse_args(arguments)
    with places.folder() as folder, places.postgres(folder) as url:
        servers = _furnish(url, chosen.servers, chosen.waiting)
        rows = asyncio.run(_measure(url, servers, chosen))
    figures.show(
        f"PostgreSQL at {chosen.rate:g} jobs a second, {len(servers)} servers ({figures.machine()})", rows
    )
    figures.keep(chosen.out, "load", rows)


async def _measure(url: str, servers: list[Server], chosen: argparse.Namespace) -> list[figures.Row]:
    async with Database(url, max_size=8) as database:
        events = PostgresJobEvents(database, listen_dsn=None)
        floor = _Floor(PostgresDispatchQueue(database=database, events=events), servers)
        await floor.fill()
        registry = PostgresServerRegistry(database=database)
        stats = SystemStats(version="0.33.0", devices=[{"name": "gpu", "vram_free": 1}])
        seen = _InTurn(servers, lambda server: registry.seen(server.id, stats))
        rate = chosen.rate
        beat = _InTurn(list(range(DISPATCHERS)), floor.renew)
        mixes: dict[str, list[tuple[float, Callable[[], Awaitable[None]]]]] = {
            "claims, heartbeats, finishes": [(rate, floor.next_job), (DISPATCHERS / 10, beat)],
            "every move of a job": [(rate, floor.next_job_in_full), (DISPATCHERS / 10, beat)],
            "and every server's health": [
                (rate, floor.next_job_in_full),
                (DISPATCHERS / 10, beat),
                (len(servers) / 5, seen),
            ],
            "claims that find no place": [(rate, floor.look)],
        }
        rows = [await _mix(url, name, parts, chosen.seconds) for name, parts in mixes.items()]
        await events.aclose()
    return rows


async def _mix(
    url: str, name: str, parts: list[tuple[float, Callable[[], Awaitable[None]]]], seconds: float
) -> figures.Row:
    counts = [0] * len(parts)
    took: list[float] = []
    cpu, began = places.cpu_seconds(url), time.perf_counter()

    async def paced(number: int, rate: float, work: Callable[[], Awaitable[None]]) -> None:
        running: set[asyncio.Task[None]] = set()

        async def once() -> None:
            started = time.perf_counter()
            await work()
            if number == 0:
                took.append(time.perf_counter() - started)

        while (now := time.perf_counter() - began) < seconds:
            while counts[number] < rate * now:
                counts[number] += 1
                task = asyncio.create_task(once())
                running.add(task)
                task.add_done_callback(running.discard)
            await asyncio.sleep(0.005)
        if running:
            await asyncio.wait(running)

    await asyncio.gather(*(paced(n, rate, work) for n, (rate, work) in enumerate(parts)))
    elapsed = time.perf_counter() - began
    cpu = places.cpu_seconds(url) - cpu
    return {
        "what": name,
        "a second": counts[0] / elapsed,
        "share of a core": cpu / elapsed,
        "cpu ms each": cpu * 1000 / counts[0],
        "p50 ms": figures.p50(took) * 1000,
        "p95 ms": figures.p95(took) * 1000,
    }


class _InTurn(Generic[T]):
    """Does something for one after the other, round and round."""

    def __init__(self, items: Sequence[T], work: Callable[[T], Awaitable[None]]) -> None:
        self._items = deque(items)
        self._work = work

    async def __call__(self) -> None:
        self._items.rotate(-1)
        await self._work(self._items[0])


class _Floor:
    """Servers of which each holds a job; the one that has held it longest is next to finish."""

    def __init__(self, queue: PostgresDispatchQueue, servers: list[Server]) -> None:
        self._queue = queue
        self._servers = servers
        self._held: deque[tuple[Server, Claim]] = deque()

    async def fill(self) -> None:
        for server in self._servers:
            await self._take(server)

    async def next_job(self) -> None:
        server, claim = self._held.popleft()
        assert await self._queue.complete(claim, RESULT)
        await self._take(server)

    async def next_job_in_full(self) -> None:
        server, claim = self._held.popleft()
        assert await self._queue.executed(claim, ran_seconds=10.0, keys=["workflows/w/x/output.png"])
        assert await self._queue.complete(claim, RESULT)
        claim = await self._take(server)
        assert await self._queue.store_graph(
            claim, {"1": {"class_type": "SaveImage", "inputs": {}}}, "v", client_id="load"
        )
        assert await self._queue.submitted(claim)

    async def look(self) -> None:
        self._servers.append(self._servers.pop(0))
        assert await self._claim(self._servers[0]) is None

    async def renew(self, number: int) -> None:
        claims = [claim for place, (_, claim) in enumerate(self._held) if place % DISPATCHERS == number]
        await self._queue.renew(claims, lease_seconds=LEASE_SECONDS)

    async def _take(self, server: Server) -> Claim:
        claim = await self._claim(server)
        assert claim, "nothing to claim: give it more --waiting"
        self._held.append((server, claim))
        return claim

    async def _claim(self, server: Server) -> Claim | None:
        return await self._queue.claim(
            owner="bench", server=server, depth=1, cold=True, lease_seconds=LEASE_SECONDS
        )


def _furnish(url: str, servers: int, waiting: int) -> list[Server]:
    """Servers that can run everything, and a line of jobs of many people."""
    with psycopg.connect(url, autocommit=True) as connection:
        made = [
            Server(id=uuid4(), url=f"http://gpu{n}:8188", name=f"gpu{n}", state="up") for n in range(servers)
        ]
        with connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO comfy_servers (id, url, name, state) VALUES (%s, %s, %s, 'up')",
                [(server.id, server.url, server.name) for server in made],
            )
        connection.execute(
            "INSERT INTO workflow_requirements (digest, workflow_type, node_classes, model_set)"
            " SELECT 'n' || n, 'type' || n, '{}', 'm' || n FROM generate_series(1, %s) AS n",
            (KINDS,),
        )
        connection.execute(
            "INSERT INTO comfy_server_abilities (server_id, requires, able, catalog)"
            " SELECT s.id, r.digest, true, 'c' FROM comfy_servers AS s, workflow_requirements AS r"
        )
        connection.execute(
            "INSERT INTO auth.users (id) SELECT gen_random_uuid() FROM generate_series(1, %s)", (PEOPLE,)
        )
        connection.execute(
            "INSERT INTO workflow_jobs (id, job_id, user_id, workflow_type, workflow_name, requires)"
            " SELECT i, i::text, u.id, 'type' || k, 'workflow.json', 'n' || k FROM ("
            "  SELECT gen_random_uuid() AS i, n %% %s AS place, 1 + (n * 7919) %% %s AS k"
            "  FROM generate_series(1, %s) AS n) AS made"
            " JOIN (SELECT id, row_number() OVER () - 1 AS place FROM auth.users) AS u USING (place)",
            (PEOPLE, KINDS, waiting),
        )
        connection.execute("VACUUM ANALYZE")
    return made
