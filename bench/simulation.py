"""Servers, people and jobs in simulated time; every choice is made by the real claim statement.

Its `now()` is made to be the simulation's: unqualified, it is looked up in a schema that comes before PostgreSQL's own.
"""

import heapq
import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.types.json import Jsonb

from rushes.adapters.postgres.queries import query
from rushes.services.lane import PREFETCH, SWAP_WAIT

START = datetime(2026, 1, 1, tzinfo=UTC)
NO_LIMIT = 2**31 - 1
POLL = 1.0  # seconds, as a lane's
_CLOCK: LiteralString = """
CREATE SCHEMA IF NOT EXISTS simulated;
CREATE OR REPLACE FUNCTION simulated.now() RETURNS timestamptz LANGUAGE sql STABLE
AS $$ SELECT current_setting('simulated.now')::timestamptz $$;
GRANT USAGE ON SCHEMA simulated TO service_role;
"""


@dataclass(frozen=True, slots=True)
class Planned:
    """A job of the trace; times in seconds."""

    at: float
    person: int
    workflow: int
    seconds: float
    priority: int = 5


@dataclass(slots=True)
class Job:
    """A job as the simulation sees it."""

    plan: Planned
    id: UUID
    order: tuple[int, int, str]  # as the line is ordered
    claimed_at: float | None = None
    started_at: float | None = None
    ended_at: float | None = None
    overtaken_at: float | None = None  # when the first one that stood behind it was taken before it
    first_at: float | None = None  # when it came to stand first


@dataclass(slots=True)
class Server:
    """A ComfyUI with one slot: one job runs, at most one more is there."""

    id: UUID
    loaded: int | None = None
    swaps: int = 0
    ran_seconds: float = 0.0
    held: list[tuple[Job, tuple[Any, ...]]] = field(default_factory=list)
    idle_since: float = float("-inf")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a trace."""

    jobs: list[Job]
    servers: list[Server]

    @property
    def swaps(self) -> int:
        return sum(server.swaps for server in self.servers)


class Simulation:
    """One trace on one database that has the schema and nothing else."""

    def __init__(
        self,
        url: str,
        *,
        servers: int,
        workflows: int,
        people: int,
        swap_seconds: float,
        affinity_seconds: float,
    ) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._swap_seconds = swap_seconds
        self._affinity_seconds = affinity_seconds
        self._now = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._serial = itertools.count()
        self._waiting: dict[UUID, Job] = {}
        self._jobs: list[Job] = []
        self._connection.execute(_CLOCK)
        self._sql("SELECT set_config('search_path', 'simulated, pg_catalog, public', false)")
        self._sql("SET synchronous_commit = off")
        self._people = [self._person() for _ in range(people)]
        self._servers = [self._server(n, workflows) for n in range(servers)]

    def run(self, trace: Sequence[Planned]) -> Outcome:
        """Until the last job has ended."""
        for plan in trace:
            self._at(plan.at, lambda plan=plan: self._submit(plan))  # type: ignore[misc]  # binds the plan
        while self._events:
            self._now, _, happens = heapq.heappop(self._events)
            happens()
            self._fill()
        self._connection.close()
        unfinished = [job for job in self._jobs if job.ended_at is None]
        assert not unfinished, f"{len(unfinished)} jobs never ended"
        return Outcome(self._jobs, self._servers)

    # --- what happens ----------------------------------------------------------------------------

    def _submit(self, plan: Planned) -> None:
        job_id = uuid4()
        row = self._sql(
            "INSERT INTO workflow_jobs (id, job_id, user_id, workflow_type, workflow_name, requires, priority,"
            " available_at) VALUES (%(id)s, %(id)s::text, %(user)s, %(type)s, 'workflow.json', %(type)s, %(priority)s,"
            " now()) RETURNING fair_start",
            {
                "id": job_id,
                "user": self._people[plan.person],
                "type": f"w{plan.workflow}",
                "priority": plan.priority,
            },
        )
        job = Job(plan, job_id, (-plan.priority, row[0], str(job_id)))
        self._jobs.append(job)
        self._waiting[job_id] = job

    def _fill(self) -> None:
        """Every server that has room looks for a job, as all lanes do at a hint."""
        for server in sorted(self._servers, key=lambda server: len(server.held)):
            while self._waiting and len(server.held) < 1 + PREFETCH and self._claim(server):
                pass
            if self._waiting and len(server.held) < 1 + PREFETCH:
                patience = server.idle_since + SWAP_WAIT - self._now
                self._at(self._now + (patience if 0 < patience < POLL else POLL), lambda: None, once=True)

    def _claim(self, server: Server) -> bool:
        cold = self._affinity_seconds <= 0 or self._now >= server.idle_since + SWAP_WAIT
        row = self._query(
            "claim",
            {
                "owner": "simulation",
                "server_id": server.id,
                "depth": 1 + PREFETCH,
                "slots": 1,
                "cold": cold,
                "lease_seconds": 30,
                "running_limit": NO_LIMIT,
                "affinity_seconds": self._affinity_seconds,
            },
        )
        if row is None:
            return False
        job = self._waiting.pop(row[0])
        job.claimed_at = self._now
        for other in self._waiting.values():
            if other.order < job.order and other.order[0] == job.order[0] and other.overtaken_at is None:
                other.overtaken_at = self._now
        if self._waiting:
            first = min(self._waiting.values(), key=lambda one: one.order)
            if first.first_at is None:
                first.first_at = self._now
        server.held.append((job, row))
        if len(server.held) == 1:
            self._start(server)
        return True

    def _start(self, server: Server) -> None:
        job, _ = server.held[0]
        swap = 0.0
        if server.loaded != job.plan.workflow:
            server.swaps += server.loaded is not None
            swap = self._swap_seconds
            server.loaded = job.plan.workflow
        job.started_at = self._now
        server.ran_seconds = swap + job.plan.seconds
        self._at(self._now + swap + job.plan.seconds, lambda: self._end(server))

    def _end(self, server: Server) -> None:
        job, row = server.held.pop(0)
        job.ended_at = self._now
        server.idle_since = self._now
        assert self._query("executed", {"job_id": row[0], "lease_token": row[1], "ran": server.ran_seconds})
        nothing = {"outputs": Jsonb({"files": [], "texts": []}), "result_urls": Jsonb([]), "keys": []}
        no_file = {"filename": None, "subfolder": None, "type": None}
        assert self._query("complete", {"job_id": row[0], "lease_token": row[1]} | nothing | no_file)
        if server.held:
            self._start(server)

    # --- the database ------------------------------------------------------------------------------

    def _person(self) -> UUID:
        person = uuid4()
        self._sql("INSERT INTO auth.users (id) VALUES (%s)", (person,))
        return person

    def _server(self, number: int, workflows: int) -> Server:
        url = f"http://gpu{number}:8188"
        row = self._sql("INSERT INTO comfy_servers (url, name) VALUES (%s, %s) RETURNING id", (url, url))
        for workflow in range(workflows):
            name = f"w{workflow}"
            self._sql(
                "INSERT INTO workflow_requirements (digest, workflow_type, node_classes, model_set)"
                " VALUES (%s, %s, '{}', %s) ON CONFLICT DO NOTHING",
                (name, name, f"models of {name}"),
            )
            self._sql(
                "INSERT INTO comfy_server_abilities (server_id, requires, able, catalog) VALUES (%s, %s, true, 'c')",
                (row[0], name),
            )
        return Server(row[0])

    def _query(self, name: LiteralString, params: dict[str, Any]) -> tuple[Any, ...] | None:
        with self._connection.transaction():
            self._tell_time()
            self._connection.execute("SET LOCAL ROLE service_role")
            return self._connection.execute(query(name), params).fetchone()

    def _sql(self, statement: LiteralString, params: Any = None) -> tuple[Any, ...]:
        self._tell_time()
        cursor = self._connection.execute(statement, params)
        return (cursor.fetchone() or ()) if cursor.description else ()

    def _tell_time(self) -> None:
        moment = (START + timedelta(seconds=self._now)).isoformat()
        self._connection.execute("SELECT pg_catalog.set_config('simulated.now', %s, false)", (moment,))

    def _at(self, moment: float, happens: Callable[[], None], *, once: bool = False) -> None:
        if once and self._events and self._events[0][0] <= moment:
            return  # something happens before that, and all servers look again then
        heapq.heappush(self._events, (moment, next(self._serial), happens))
