"""pgqueuer: argv is the database's URL, jobs, batch size, and rows that have ended (it keeps none in its queue)."""

import asyncio
import json
import os
import sys
import time
from importlib.metadata import version

import asyncpg
from pgqueuer import AsyncpgDriver, PgQueuer, Queries
from pgqueuer.types import QueueExecutionMode

URL, JOBS, AT_A_TIME = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


async def main() -> None:
    driver = AsyncpgDriver(await asyncpg.connect(URL))
    queries = Queries(driver)
    await queries.install()
    await queries.enqueue(["noop"] * JOBS, [None] * JOBS, [0] * JOBS)
    worker = PgQueuer(driver)

    @worker.entrypoint("noop")
    async def noop(_: object) -> None:
        """Nothing."""

    print("ready", flush=True)
    sys.stdin.readline()
    began, cpu = time.perf_counter(), time.process_time()
    await worker.run(batch_size=AT_A_TIME, mode=QueueExecutionMode.drain)
    took, used = time.perf_counter() - began, time.process_time() - cpu
    print(json.dumps({"seconds": took, "cpu": used, "pid": os.getpid(), "version": version("pgqueuer")}))


asyncio.run(main())
