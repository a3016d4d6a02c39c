"""procrastinate: argv is the database's URL, jobs, concurrency, and rows that have ended."""

import asyncio
import json
import os
import sys
import time

import procrastinate

URL, JOBS, AT_A_TIME, ENDED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=URL, max_size=16))


@app.task(name="noop")
async def noop() -> None:
    """Nothing."""


async def main() -> None:
    async with app.open_async():
        await app.schema_manager.apply_schema_async()
        await app.connector.execute_query_async(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, status)"
            f" SELECT 'default', 'noop', 'succeeded' FROM generate_series(1, {ENDED})"
        )
        await app.connector.execute_query_async("ANALYZE procrastinate_jobs")
        await noop.batch_defer_async(*({} for _ in range(JOBS)))
        print("ready", flush=True)
        sys.stdin.readline()
        began, cpu = time.perf_counter(), time.process_time()
        await app.run_worker_async(
            wait=False, concurrency=AT_A_TIME, install_signal_handlers=False, listen_notify=False
        )
        took, used = time.perf_counter() - began, time.process_time() - cpu
    print(
        json.dumps({"seconds": took, "cpu": used, "pid": os.getpid(), "version": procrastinate.__version__})
    )


asyncio.run(main())
