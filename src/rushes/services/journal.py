"""Each step of a job: one log line, and what it means for the metrics."""

import time
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from rushes.domain.job import JobErrorCode
from rushes.ports import Claim, Clock, DispatchQueue, JobFailure, Json, Metrics, Result, Server

log = structlog.get_logger("rushes.job")

KNOWN_ATTEMPTS = 4096
# What these say is ours. The others quote nodes and values, so a person's prompt may be in them: the row has them.
_OUR_WORDS = frozenset(
    {
        JobErrorCode.SERVER_LOST,
        JobErrorCode.TIMEOUT,
        JobErrorCode.NO_OUTPUT,
        JobErrorCode.STORAGE_FULL,
        JobErrorCode.UPLOAD_FAILED,
        JobErrorCode.INTERNAL,
    }
)
_SHOWN_DETAILS = ("node_id", "node_class")


@dataclass(slots=True)
class _Times:
    """When this process saw the steps of an attempt, monotonic seconds."""

    claimed: float
    executed: float | None = None
    stored: bool = False


class JournaledQueue:
    """The port DispatchQueue over another one: every move passes by here, so none is left out of log and metrics."""

    def __init__(self, queue: DispatchQueue, *, metrics: Metrics, clock: Clock) -> None:
        self._queue = queue
        self._metrics = metrics
        self._clock = clock
        self._seen: OrderedDict[int, _Times] = OrderedDict()

    async def claim(
        self, *, owner: str, server: Server, depth: int, cold: bool, lease_seconds: float
    ) -> Claim | None:
        began = time.monotonic()
        claim = await self._queue.claim(
            owner=owner, server=server, depth=depth, cold=cold, lease_seconds=lease_seconds
        )
        self._metrics.looked_for_a_job(time.monotonic() - began, found=claim is not None)
        if claim is None:
            return None
        self._begin(claim)
        waited = self._age(claim.job_id)
        if waited is not None and claim.attempt == 1:
            self._metrics.waited(claim.workflow_type, waited)
        _tell("claimed", claim, age=waited, dispatcher=owner)
        return claim

    async def rescue(self, *, owner: str, lease_seconds: float, limit: int = 10) -> list[Claim]:
        claims = await self._queue.rescue(owner=owner, lease_seconds=lease_seconds, limit=limit)
        for claim in claims:
            self._begin(claim)
            self._metrics.taken_over(claim.workflow_type, claim.server_url)
            _tell("taken over", claim, age=self._age(claim.job_id), dispatcher=owner)
        return claims

    async def submitted(self, claim: Claim) -> bool:
        done = await self._queue.submitted(claim)
        _tell("sent" if done else "late", claim, seconds=self._since_claim(claim), prompt_id=claim.prompt_id)
        return done

    async def executed(
        self, claim: Claim, *, ran_seconds: float | None = None, keys: Sequence[str] = ()
    ) -> bool:
        done = await self._queue.executed(claim, ran_seconds=ran_seconds, keys=keys)
        if times := self._seen.get(claim.lease_token):
            times.executed = time.monotonic()
        _tell("executed" if done else "late", claim, seconds=self._since_claim(claim))
        return done

    async def complete(self, claim: Claim, result: Result) -> bool:
        self._stored(claim, result)
        done = await self._queue.complete(claim, result)
        ran, total = self._since_claim(claim), self._age(claim.job_id)
        if done:
            self._metrics.completed(claim.workflow_type, ran=ran, total=total)
        self._ended(claim, "completed", done, seconds=ran, age=total)
        return done

    async def fail(self, claim: Claim, failure: JobFailure) -> bool:
        done = await self._queue.fail(claim, failure)
        self._ended(claim, "failed", done, failure)
        return done

    async def cancelled(self, claim: Claim) -> bool:
        done = await self._queue.cancelled(claim)
        self._ended(claim, "cancelled", done, age=self._age(claim.job_id))
        return done

    async def retry(self, claim: Claim, failure: JobFailure, *, delay_seconds: float) -> bool:
        done = await self._queue.retry(claim, failure, delay_seconds=delay_seconds)
        self._ended(claim, "retried", done, failure, again_in=delay_seconds)
        return done

    async def release(self, claim: Claim) -> bool:
        done = await self._queue.release(claim)
        self._ended(claim, "released", done)
        return done

    async def expire_deadlines(self) -> list[UUID]:
        expired = await self._queue.expire_deadlines()
        self._metrics.expired(len(expired))
        for job_id in expired:
            log.info(
                "job failed", job_id=str(job_id), code=JobErrorCode.TIMEOUT.value, error="waited too long"
            )
        return expired

    # --- passed on as they are ------------------------------------------------------------------

    async def renew(self, claims: Sequence[Claim], *, lease_seconds: float) -> dict[UUID, bool]:
        return await self._queue.renew(claims, lease_seconds=lease_seconds)

    async def some_wait(self) -> bool:
        return await self._queue.some_wait()

    async def cancels_asked(self, claims: Sequence[Claim]) -> list[UUID]:
        return await self._queue.cancels_asked(claims)

    async def abandoned(self, claim: Claim) -> bool:
        return await self._queue.abandoned(claim)

    async def grant_attempt(self, claim: Claim) -> bool:
        return await self._queue.grant_attempt(claim)

    async def store_graph(self, claim: Claim, graph: Json, workflow_version: str, *, client_id: str) -> bool:
        return await self._queue.store_graph(claim, graph, workflow_version, client_id=client_id)

    async def storing(self, claim: Claim, key: str) -> bool:
        return await self._queue.storing(claim, key)

    async def progress(self, claim: Claim, progress: Json) -> bool:
        return await self._queue.progress(claim, progress)

    async def add_derived(self, claim: Claim, outputs: Json) -> None:
        await self._queue.add_derived(claim, outputs)

    async def explain_waiting(self, reasons: Mapping[str, str | None]) -> None:
        await self._queue.explain_waiting(reasons)

    # --- times ----------------------------------------------------------------------------------

    def _begin(self, claim: Claim) -> None:
        self._seen[claim.lease_token] = _Times(time.monotonic())
        if len(self._seen) > KNOWN_ATTEMPTS:  # those whose lease was lost have no end of their own
            self._seen.popitem(last=False)

    def _since_claim(self, claim: Claim) -> float | None:
        times = self._seen.get(claim.lease_token)
        return time.monotonic() - times.claimed if times else None

    def _age(self, job_id: UUID) -> float | None:
        """Seconds since a job was submitted; its id is a UUIDv7, which says when it was made."""
        if job_id.version != 7:
            return None
        return max(0.0, self._clock.now().timestamp() - (job_id.int >> 80) / 1000)

    def _stored(self, claim: Claim, result: Result) -> None:
        times = self._seen.get(claim.lease_token)
        if times is None or times.stored:  # a write that is tried again
            return
        times.stored = True
        files = result.outputs.get("files", [])
        size = sum(file.get("size_bytes") or 0 for file in files)
        seconds = time.monotonic() - times.executed if times.executed is not None else None
        self._metrics.stored(size_bytes=size, seconds=seconds)
        _tell("stored", claim, seconds=seconds, files=len(files), bytes=size)

    def _ended(
        self, claim: Claim, outcome: str, done: bool, failure: JobFailure | None = None, **more: Any
    ) -> None:
        told = outcome if done else "late"
        self._metrics.attempt_ended(
            claim.workflow_type,
            outcome=told,
            error_code=failure.code.value if failure and done else "",
            server=claim.server_url,
        )
        more.setdefault("seconds", self._since_claim(claim))
        _tell(told, claim, **_shown(failure), **more)
        self._seen.pop(claim.lease_token, None)


def _shown(failure: JobFailure | None) -> dict[str, Any]:
    if failure is None:
        return {}
    shown: dict[str, Any] = {"code": failure.code.value}
    if failure.code in _OUR_WORDS:
        shown["error"] = failure.message
    details = failure.details or {}
    return shown | {
        name: details[name][:100] for name in _SHOWN_DETAILS if isinstance(details.get(name), str)
    }


def _tell(step: str, claim: Claim, **more: Any) -> None:
    log.info(
        f"job {step}",
        job_id=str(claim.job_id),
        attempt=claim.attempt,
        workflow_type=claim.workflow_type,
        server=claim.server_url,
        user_id=str(claim.user_id) if claim.user_id else None,
        **{name: round(value, 3) if isinstance(value, float) else value for name, value in more.items()
           if value is not None},
    )  # fmt: skip
