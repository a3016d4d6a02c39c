"""The claim, and every guarded move of a claimed job."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.rows import TupleRow
from psycopg.types.json import Jsonb

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.hiding import without_address, without_addresses
from rushes.ports import Claim, JobEvents, JobFailure, Json, Result, Server

NO_LIMIT = 2**31 - 1
# The order of columns in claim.sql and rescue.sql.
_CLAIM = (
    "job_id", "lease_token", "workflow_type", "workflow_name", "user_id", "inputs", "attempt", "max_attempts",
    "prompt_id", "server_id", "server_url", "deadline_at", "cancel_requested", "graph_sent",
    "client_id", "earlier",
)  # fmt: skip


class PostgresDispatchQueue:
    """The port DispatchQueue over `workflow_jobs`; a hint goes out after each commit."""

    def __init__(
        self,
        *,
        database: Database,
        events: JobEvents,
        running_limit: int | None = None,
        affinity_seconds: float = 60.0,
    ) -> None:
        self._database = database
        self._events = events
        self._running_limit = running_limit if running_limit is not None else NO_LIMIT
        self._affinity_seconds = affinity_seconds

    async def claim(
        self, *, owner: str, server: Server, depth: int, cold: bool, lease_seconds: float
    ) -> Claim | None:
        row = await self._database.fetch(
            query("claim"),
            {
                "owner": owner,
                "server_id": server.id,
                "depth": depth,
                "slots": server.slots,
                "cold": cold,
                "lease_seconds": lease_seconds,
                "running_limit": self._running_limit,
                "affinity_seconds": self._affinity_seconds,
            },
            durable=False,  # nothing is sent to the server before the graph is stored, which is durable
        )
        if row is None:
            return None
        await self._events.notify("jobs")
        return _claim(row)

    async def some_wait(self) -> bool:
        row = await self._database.fetch(query("some_wait"), durable=False)
        return bool(row and row[0])

    async def rescue(self, *, owner: str, lease_seconds: float, limit: int = 10) -> list[Claim]:
        rows = await self._database.fetch_all(
            query("rescue"), {"owner": owner, "lease_seconds": lease_seconds, "limit": limit}
        )
        return [_claim(row) for row in rows]

    async def renew(self, claims: Sequence[Claim], *, lease_seconds: float) -> dict[UUID, bool]:
        rows = await self._database.fetch_all(
            query("renew"),
            {
                "job_ids": [claim.job_id for claim in claims],
                "tokens": [claim.lease_token for claim in claims],
                "lease_seconds": lease_seconds,
            },
            durable=False,
        )
        return dict(rows)

    async def cancels_asked(self, claims: Sequence[Claim]) -> list[UUID]:
        rows = await self._database.fetch_all(
            query("cancels_asked"), {"job_ids": [claim.job_id for claim in claims]}
        )
        return [job_id for (job_id,) in rows]

    async def store_graph(self, claim: Claim, graph: Json, workflow_version: str, *, client_id: str) -> bool:
        return await self._guarded(
            "store_graph",
            claim,
            attempt=claim.attempt,
            prompt_id=claim.prompt_id,
            graph=Jsonb(graph),
            workflow_version=workflow_version,
            client_id=client_id,
        )

    async def submitted(self, claim: Claim) -> bool:
        return await self._guarded("submitted", claim, durable=False, attempt=claim.attempt)

    async def executed(
        self, claim: Claim, *, ran_seconds: float | None = None, keys: Sequence[str] = ()
    ) -> bool:
        # If this is undone, so is what comes after: the job runs on elsewhere and writes the same keys again.
        done = await self._guarded(
            "executed", claim, durable=False, ran=ran_seconds, keys=list(keys), attempt=claim.attempt
        )
        await self._events.notify("jobs")  # the server has room again: wake whoever may fill it
        return done

    async def progress(self, claim: Claim, progress: Json) -> bool:
        return await self._guarded("progress", claim, durable=False, progress=Jsonb(progress))

    async def storing(self, claim: Claim, key: str) -> bool:
        return await self._guarded("storing", claim, durable=False, key=key, attempt=claim.attempt)

    async def complete(self, claim: Claim, result: Result) -> bool:
        return await self._ended(
            "complete",
            claim,
            outputs=Jsonb(result.outputs),
            result_urls=Jsonb(result.result_urls),
            filename=result.comfyui_filename,
            subfolder=result.comfyui_subfolder,
            type=result.comfyui_type,
            keys=[file["key"] for file in result.outputs["files"]],
        )

    async def add_derived(self, claim: Claim, outputs: Json) -> None:
        await self._database.fetch(
            query("derived"),
            {"job_id": claim.job_id, "prompt_id": claim.prompt_id, "outputs": Jsonb(outputs)},
            durable=False,
        )
        await self._events.notify("jobs")

    async def fail(self, claim: Claim, failure: JobFailure) -> bool:
        told = without_address(failure.message, claim.server_url)
        return await self._ended("fail", claim, status="failed", told=told, **_words(failure))

    async def cancelled(self, claim: Claim) -> bool:
        nothing = {"error_code": None, "error_message": None, "error_details": None}
        return await self._ended("fail", claim, status="cancelled", told=None, **nothing)

    async def retry(self, claim: Claim, failure: JobFailure, *, delay_seconds: float) -> bool:
        words = _words(failure)
        del words["error_details"]
        told = without_addresses(failure.message)
        return await self._ended("retry", claim, delay_seconds=delay_seconds, told=told, **words)

    async def grant_attempt(self, claim: Claim) -> bool:
        return await self._guarded("grant_attempt", claim)

    async def release(self, claim: Claim) -> bool:
        return await self._guarded("release", claim)

    async def abandoned(self, claim: Claim) -> bool:
        row = await self._database.fetch(
            query("abandoned"), {"job_id": claim.job_id, "attempt": claim.attempt}
        )
        return bool(row and row[0])

    async def expire_deadlines(self) -> list[UUID]:
        return [job_id for (job_id,) in await self._told("expire_deadlines", {})]

    async def explain_waiting(self, reasons: Mapping[str, str | None]) -> None:
        await self._told("explain_waiting", {"needs": list(reasons), "reasons": list(reasons.values())})

    async def _guarded(self, name: str, claim: Claim, *, durable: bool = True, **params: Any) -> bool:
        guard = {"job_id": claim.job_id, "lease_token": claim.lease_token}
        return await self._database.fetch(query(name), guard | params, durable=durable) is not None

    async def _ended(self, name: str, claim: Claim, **params: Any) -> bool:
        # The server's row and the person's count are locked: the next claim must not wait for this one's flush. If
        # the end is seen and then undone by a crash, the lease is there again, and the job is ended again.
        guard = {"job_id": claim.job_id, "lease_token": claim.lease_token}
        done = await self._database.fetch_then_flush(query(name), guard | params) is not None
        if done:
            await self._events.notify("jobs")
        return done

    async def _told(self, name: str, params: dict[str, Any]) -> list[TupleRow]:
        rows = await self._database.fetch_all(query(name), params)
        if rows:
            await self._events.notify("jobs")
        return rows


def _claim(row: TupleRow) -> Claim:
    return Claim(**dict(zip(_CLAIM, row, strict=True)))


def _words(failure: JobFailure) -> dict[str, Any]:
    return {
        "error_code": failure.code.value,
        "error_message": failure.message,
        "error_details": Jsonb(failure.details) if failure.details is not None else None,
    }
