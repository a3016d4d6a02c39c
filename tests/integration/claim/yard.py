"""Servers, people and jobs in a real database, and the real claim on them."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, LiteralString, Self
from uuid import UUID, uuid4

from psycopg import AsyncConnection, sql
from psycopg.rows import TupleRow

from rushes.adapters.postgres.dispatch import NO_LIMIT, PostgresDispatchQueue
from rushes.adapters.postgres.events import PostgresJobEvents
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.job import JobErrorCode
from rushes.ports import Claim, JobFailure, Result, Server

LEASE = 30.0
LOST = JobFailure(code=JobErrorCode.SERVER_LOST, message="The server went away.")
BROKEN = JobFailure(code=JobErrorCode.NODE_ERROR, message="A node raised.")
NOTHING = Result(
    outputs={"files": [], "texts": [], "reused": False},
    result_urls=[],
    comfyui_filename=None,
    comfyui_subfolder=None,
    comfyui_type=None,
)


class Yard:
    """Everything that a claim knows: `need`, `server`, `person`, `job` add to it, `claim` asks it."""

    def __init__(self, url: str, connection: AsyncConnection[TupleRow], database: Database) -> None:
        self.url = url
        self.database = database
        self._connection = connection
        self._numbers = itertools.count(1)
        self.events = PostgresJobEvents(database, listen_dsn=None)
        self.queue = self.queue_with()

    @classmethod
    @asynccontextmanager
    async def opened(cls, url: str, *, connections: int = 4) -> AsyncIterator[Self]:
        async with (
            await AsyncConnection.connect(url, autocommit=True) as connection,
            Database(url, max_size=connections) as database,
        ):
            yard = cls(url, connection, database)
            yield yard
            await yard.events.aclose()

    def queue_with(
        self, *, running_limit: int | None = None, affinity_seconds: float = 60.0
    ) -> PostgresDispatchQueue:
        return PostgresDispatchQueue(
            database=self.database,
            events=self.events,
            running_limit=running_limit,
            affinity_seconds=affinity_seconds,
        )

    # --- what there is -------------------------------------------------------------------------

    async def sql(self, statement: str, *params: Any) -> list[TupleRow]:
        """As the database's owner, past all rules of access."""
        cursor = await self._connection.execute(statement.encode(), params)
        return await cursor.fetchall() if cursor.description else []

    async def behind_the_rules(self, statement: str, *params: Any) -> None:
        """As if time had passed: without triggers."""
        async with self._connection.transaction():
            await self._connection.execute("SET LOCAL session_replication_role = replica")
            await self._connection.execute(statement.encode(), params)

    async def need(self, name: str, *, models: str | None = None, workflow_type: str = "img2img") -> str:
        """A kind of job; `models` names its model set."""
        await self.sql(
            "INSERT INTO workflow_requirements (digest, workflow_type, node_classes, model_set)"
            " VALUES (%s, %s, '{}', %s) ON CONFLICT DO NOTHING",
            name,
            workflow_type,
            models,
        )
        return name

    async def server(self, *needs: str, **columns: Any) -> Server:
        """A server that is able to run those needs; `columns` of its row, `warm` is the model set in it."""
        url = f"http://gpu{next(self._numbers)}:8188"
        columns["warm_model_set"] = columns.pop("warm", None)
        values = {"url": url, "name": url, **columns}
        row = await self._connection.execute(
            sql.SQL("INSERT INTO comfy_servers ({}) VALUES ({}) RETURNING id").format(
                sql.SQL(", ").join(map(sql.Identifier, values)),
                sql.SQL(", ").join(map(sql.Placeholder, values)),
            ),
            values,
        )
        found = await row.fetchone()
        assert found
        for need in needs:
            await self.able(found[0], need)
        return Server(id=found[0], url=url, name=url, slots=columns.get("slots", 1), state="up")

    async def able(self, server_id: UUID, need: str, able: bool = True) -> None:
        await self.sql(
            "INSERT INTO comfy_server_abilities (server_id, requires, able, catalog) VALUES (%s, %s, %s, 'c')"
            " ON CONFLICT (server_id, requires) DO UPDATE SET able = excluded.able",
            server_id,
            need,
            able,
        )

    async def person(self, **limits: int) -> UUID:
        """An account; `limits` are columns of user_limits."""
        person = uuid4()
        await self.sql("INSERT INTO auth.users (id) VALUES (%s)", person)
        for name, value in limits.items():
            await self.sql(f"INSERT INTO user_limits (user_id, {name}) VALUES (%s, %s)", person, value)
        return person

    async def job(self, person: UUID | None, need: str, **columns: Any) -> UUID:
        (job,) = await self.jobs(1, person, need, **columns)
        return job

    async def jobs(self, count: int, person: UUID | None, need: str, **columns: Any) -> list[UUID]:
        """Pending jobs, submitted one after the other, in one statement."""
        ids = [uuid4() for _ in range(count)]
        names = "".join(f", {name}" for name in columns)
        marks = "".join(", %s" for _ in columns)
        await self.sql(
            "INSERT INTO workflow_jobs (id, job_id, user_id, workflow_type, workflow_name, requires"
            f"{names}) SELECT i, i::text, %s, r.workflow_type, 'workflow.json', r.digest{marks}"
            " FROM unnest(%s::uuid[]) WITH ORDINALITY AS made (i, place)"
            " JOIN workflow_requirements AS r ON r.digest = %s ORDER BY place",
            person,
            *columns.values(),
            ids,
            need,
        )
        return ids

    # --- what happens --------------------------------------------------------------------------

    async def claim(
        self,
        server: Server,
        *,
        depth: int | None = None,
        cold: bool = True,
        queue: PostgresDispatchQueue | None = None,
        owner: str = "d1",
    ) -> Claim | None:
        return await (queue or self.queue).claim(
            owner=owner, server=server, depth=depth or server.slots, cold=cold, lease_seconds=LEASE
        )

    def claim_statement(self, server: Server, **params: Any) -> tuple[LiteralString, dict[str, Any]]:
        """The statement itself, for those who look at how it works."""
        chosen = {
            "owner": "d1",
            "server_id": server.id,
            "depth": server.slots,
            "slots": server.slots,
            "cold": True,
        }
        limits = {"lease_seconds": LEASE, "running_limit": NO_LIMIT, "affinity_seconds": 60.0}
        return query("claim"), chosen | limits | params

    async def take(self, server: Server, **how: Any) -> Claim:
        """A claim that must succeed."""
        claim = await self.claim(server, **how)
        assert claim, "nothing was claimed"
        return claim

    async def complete(self, *claims: Claim) -> None:
        for claim in claims:
            assert await self.queue.complete(claim, NOTHING)

    async def order(self, server: Server, **how: Any) -> list[UUID]:
        """All that the server runs, one after the other, until there is nothing left for it."""
        ran: list[UUID] = []
        while claim := await self.claim(server, **how):
            ran.append(claim.job_id)
            await self.complete(claim)
        return ran

    async def lose(self, claim: Claim) -> None:
        """The server was lost; the job may be tried again at once."""
        assert await self.queue.retry(claim, LOST, delay_seconds=0)

    async def status(self, job: UUID) -> str:
        ((status,),) = await self.sql("SELECT status FROM workflow_jobs WHERE id = %s", job)
        return str(status)

    async def running(self, person: UUID) -> int:
        """What is kept of the person's running jobs."""
        rows = await self.sql("SELECT running FROM rushes.user_running WHERE user_id = %s", person)
        return int(rows[0][0]) if rows else 0

    async def age(self, seconds: float) -> None:
        """Let time pass: what is written about pending jobs and servers becomes older."""
        await self.behind_the_rules(
            "UPDATE workflow_jobs SET available_at = available_at - %s * interval '1 s',"
            " passed_over_at = passed_over_at - %s * interval '1 s',"
            " deadline_at = deadline_at - %s * interval '1 s' WHERE status = 'pending'",
            seconds,
            seconds,
            seconds,
        )
        await self.behind_the_rules(
            "UPDATE comfy_servers SET open_until = open_until - %s * interval '1 s'", seconds
        )
