"""The writes that end an attempt, kept up while the database is away for a moment."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog

from rushes.domain.errors import Unavailable
from rushes.domain.job import JobErrorCode
from rushes.ports import Claim, DispatchQueue, JobFailure, Result

log = structlog.get_logger("rushes.job")

KEEP_TRYING = 60.0
FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0


class Settler:
    """Ends attempts: every write names the lease token and matches nothing once the lease is lost."""

    def __init__(self, *, queue: DispatchQueue, jitter: Callable[[], float] = random.random) -> None:
        self._queue = queue
        self._jitter = jitter

    async def completed(self, claim: Claim, result: Result) -> bool:
        done = await self._insist(lambda: self._queue.complete(claim, result))
        self._tell(claim, "completed" if done else "late")
        return done

    async def failed(
        self, claim: Claim, code: JobErrorCode, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        failure = JobFailure(code=code, message=message, details=dict(details) if details else None)
        await self._insist(lambda: self._queue.fail(claim, failure))
        self._tell(claim, "failed", code=code.value, error=message)

    async def again(self, claim: Claim, code: JobErrorCode, message: str) -> None:
        """Another attempt, later and with jitter; failed when none is left."""
        if claim.attempt >= claim.max_attempts:
            tries = f" It was tried {claim.attempt} times." if claim.attempt > 1 else ""
            await self.failed(claim, code, f"{message}{tries} Run it again when the server is well.")
            return
        failure = JobFailure(code=code, message=message)
        delay = min(LONGEST_RETRY, FIRST_RETRY * 2 ** (claim.attempt - 1)) * (0.5 + self._jitter())
        await self._insist(lambda: self._queue.retry(claim, failure, delay_seconds=delay))
        self._tell(claim, "retried", code=code.value, error=message)

    async def cancelled(self, claim: Claim) -> None:
        await self._insist(lambda: self._queue.cancelled(claim))
        self._tell(claim, "cancelled")

    async def released(self, claim: Claim) -> None:
        await self._insist(lambda: self._queue.release(claim))
        self._tell(claim, "released")

    async def _insist(self, write: Callable[[], Awaitable[bool]]) -> bool:
        loop = asyncio.get_running_loop()
        until, pause = loop.time() + KEEP_TRYING, 0.2
        while True:
            try:
                return await write()
            except Unavailable:
                if loop.time() > until:
                    raise
            await asyncio.sleep(pause)
            pause = min(pause * 2, 5)

    def _tell(self, claim: Claim, outcome: str, **more: str) -> None:
        log.info(
            f"job {outcome}",
            job_id=str(claim.job_id),
            attempt=claim.attempt,
            workflow_type=claim.workflow_type,
            server=claim.server_url,
            **more,
        )
