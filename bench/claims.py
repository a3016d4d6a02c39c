"""No-op jobs claimed and finished, one at a time and many, beside rows that have ended; and the same by other
queues on the same PostgreSQL.

procrastinate and pgqueuer are compared with where a Python has them: make one with
`python -m venv peers && peers/bin/pip install procrastinate[psycopg] pgqueuer[asyncpg]`, and say `--peers peers/bin/python`.
"""

import argparse
import asyncio
import json
import subprocess
import time
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import psycopg

from bench import figures, places
from rushes.adapters.postgres.dispatch import PostgresDispatchQueue
from rushes.adapters.postgres.events import PostgresJobEvents
from rushes.adapters.postgres.pool import Database
from rushes.ports import Result, Server

PEERS = ("procrastinate", "pgqueuer")
LANES = 16
RESULT = Result(
    outputs={"files": [], "texts": [], "reused": False},
    result_urls=[],
    comfyui_filename=None,
    comfyui_subfolder=None,
    comfyui_type=None,
)


def main(arguments: Sequence[str]) -> None:
    """Measure and print."""
    parser = figures.options(__doc__)
    parser.add_argument("--ended", type=int, default=200_000, help="rows that have ended, in the table")
    parser.add_argument("--jobs", type=int, default=1000, help="to run in each round")
    parser.add_argument("--rounds", type=int, default=3, help="medians are shown")
    parser.add_argument("--peers", default="python3", help="a Python that has procrastinate and pgqueuer")
    chosen = parser.parse_args(arguments)
    with places.folder() as folder, places.postgres(folder, max_wal_size="16GB") as url:
        began = time.monotonic()
        _furnish(url, chosen.ended)
        print(f"{chosen.ended:,} rows in {time.monotonic() - began:.0f} s", flush=True)
        rows = [_median([_ours(url, n, chosen.jobs) for _ in range(chosen.rounds)]) for n in (1, LANES)]
        for name in PEERS:
            rows += _peer(url, name, chosen)
    base = {row["at a time"]: row["jobs/s"] for row in rows if row["queue"] == "rushes"}
    for row in rows:
        row["of rushes"] = row["jobs/s"] / base[LANES if row["at a time"] > 1 else 1]
    figures.show(f"No-op jobs beside {chosen.ended:,} that have ended ({figures.machine()})", rows)
    figures.keep(chosen.out, "claims", rows)


def _median(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        name: figures.p50([one[name] for one in rounds]) if isinstance(value, float) else value
        for name, value in rounds[0].items()
    }


def _row(
    url: str, name: str, at_a_time: int, jobs: int, seconds: float, cpu: float, postgres: float
) -> dict[str, Any]:
    with psycopg.connect(url) as connection:
        row = connection.execute("SHOW server_version").fetchone()
    return {
        "queue": name,
        "at a time": at_a_time,
        "jobs/s": jobs / seconds,
        "worker cpu ms/job": cpu * 1000 / jobs,
        "postgres cpu ms/job": postgres * 1000 / jobs,
        "postgres": row[0].split()[0] if row else "",
    }


# --- ours ------------------------------------------------------------------------------------------


def _ours(url: str, lanes: int, jobs: int) -> dict[str, Any]:
    return asyncio.run(_run_lanes(url, lanes, jobs))


async def _run_lanes(url: str, lanes: int, jobs: int) -> dict[str, Any]:
    servers = _submit(url, lanes, jobs)
    async with Database(url, max_size=lanes) as database:
        events = PostgresJobEvents(database, listen_dsn=None)
        queue = PostgresDispatchQueue(database=database, events=events)

        async def lane(server: Server) -> int:
            done = 0
            while claim := await queue.claim(
                owner="bench", server=server, depth=1, cold=True, lease_seconds=30
            ):
                assert await queue.complete(claim, RESULT)
                done += 1
            return done

        postgres, began, cpu = places.cpu_seconds(url), time.perf_counter(), time.process_time()
        done = sum(await asyncio.gather(*(lane(server) for server in servers)))
        took, used = time.perf_counter() - began, time.process_time() - cpu
        await events.aclose()
    assert done == jobs, f"{done} of {jobs} ran"
    return _row(url, "rushes", lanes, jobs, took, used, places.cpu_seconds(url) - postgres)


def _submit(url: str, lanes: int, jobs: int) -> list[Server]:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("DELETE FROM comfy_servers")
        made = [Server(id=uuid4(), url=f"http://gpu{n}:8188", name=f"gpu{n}") for n in range(lanes)]
        for server in made:
            connection.execute(
                "INSERT INTO comfy_servers (id, url, name) VALUES (%s, %s, %s)",
                (server.id, server.url, server.name),
            )
        connection.execute(
            "INSERT INTO comfy_server_abilities (server_id, requires, able, catalog)"
            " SELECT s.id, r.digest, true, 'c' FROM comfy_servers AS s, workflow_requirements AS r"
        )
        connection.execute(
            "INSERT INTO workflow_jobs (id, job_id, user_id, workflow_type, workflow_name, requires)"
            " SELECT i, i::text, u.id, 'type1', 'workflow.json', 'n1' FROM ("
            "  SELECT gen_random_uuid() AS i, n %% 100 AS place FROM generate_series(1, %s) AS n) AS made"
            " JOIN (SELECT id, row_number() OVER () - 1 AS place FROM auth.users LIMIT 100) AS u USING (place)",
            (jobs,),
        )
    return made


_OURS = """
    SELECT i.indexrelid::regclass::text, pg_get_indexdef(i.indexrelid)
    FROM pg_index AS i
    WHERE i.indrelid = 'public.workflow_jobs'::regclass
      AND NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid)
"""


def _furnish(url: str, ended: int) -> None:
    """Completed jobs of 2,000 people with what a real row has, past the triggers; indexes are built afterwards."""
    people = [UUID(int=(1 << 100) + n) for n in range(2000)]
    with psycopg.connect(url, autocommit=True) as connection:
        with connection.cursor() as cursor:
            cursor.executemany("INSERT INTO auth.users (id) VALUES (%s)", [(person,) for person in people])
        connection.execute(
            "INSERT INTO workflow_requirements (digest, workflow_type, node_classes) VALUES ('n1', 'type1', '{}')"
        )
        indexes = connection.execute(_OURS.encode()).fetchall()
        with connection.transaction():
            for name, _ in indexes:
                connection.execute(f"DROP INDEX {name}".encode())
            connection.execute("SET LOCAL session_replication_role = replica")
            connection.execute("SET LOCAL maintenance_work_mem = '1GB'")
            connection.execute(
                "INSERT INTO workflow_jobs (id, job_id, user_id, workflow_type, workflow_name, status, attempt,"
                " created_at, started_at, completed_at, comfy_url, inputs, outputs, prompt_text, requires)"
                " SELECT i, i::text, %s::uuid[][1 + n %% 2000], 'type' || n %% 8, 'workflow.json', 'completed', 1,"
                " at, at, at, 'http://gpu:8188', '{\"prompt\": \"a prompt\"}',"
                " jsonb_build_object('files', jsonb_build_array(jsonb_build_object('name', 'output.png', 'key', i))),"
                " 'a portrait of word' || n %% 500, 'n' || n %% 8 FROM ("
                "  SELECT n, gen_random_uuid() AS i, now() - n * interval '1 s' AS at FROM generate_series(1, %s) AS n"
                " ) AS made".replace("%s::uuid[][1 +", "(%s::uuid[])[1 +"),
                (people, ended),
            )
            for _, definition in indexes:
                connection.execute(definition.encode())
        connection.execute("VACUUM ANALYZE")
        connection.execute("CHECKPOINT")


# --- theirs ----------------------------------------------------------------------------------------


def _peer(url: str, name: str, chosen: argparse.Namespace) -> list[dict[str, Any]]:
    asked = [chosen.peers, "-c", f"import {name}"]
    if find_spec(name) is None and subprocess.run(asked, capture_output=True, check=False).returncode:
        print(f"{name} isn't there: see --help for how to compare with it.")
        return []
    rows = []
    for at_a_time in (1, 100):
        jobs = chosen.jobs
        rows.append(_median([_run_peer(url, name, chosen, at_a_time, jobs) for _ in range(chosen.rounds)]))
    return rows


def _run_peer(url: str, name: str, chosen: argparse.Namespace, at_a_time: int, jobs: int) -> dict[str, Any]:
    own = places.empty(url)
    script = Path(__file__).with_name("peers") / f"run_{name}.py"
    command = [chosen.peers, str(script), own, str(jobs), str(at_a_time), str(chosen.ended)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdin
        assert child.stdout
        line = child.stdout.readline()
        if line != "ready\n":
            raise SystemExit(f"{name} didn't start: {line}")
        postgres = places.cpu_seconds(url)
        child.stdin.write("go\n")
        child.stdin.flush()
        told = json.loads(child.stdout.readline())
        postgres = places.cpu_seconds(url) - postgres
    places.drop(own)
    return _row(url, f"{name} {told['version']}", at_a_time, jobs, told["seconds"], told["cpu"], postgres)
