"""The writes that end an attempt, kept up while the database is away for a moment."""

import random
from collections.abc import Callable, Mapping
from typing import Any

from rushes.domain.job import JobErrorCode
from rushes.ports import Claim, DispatchQueue, JobFailure, Result
from rushes.services.insist import insist

FIRST_RETRY, LONGEST_RETRY = 1.0, 60.0
MOST_ATTEMPTS = 10  # with those that are granted


class Settler:
    """Ends attempts: every write names the lease token and matches nothing once the lease is lost."""

    def __init__(self, *, queue: DispatchQueue, jitter: Callable[[], float] = random.random) -> None:
        self._queue = queue
        self._jitter = jitter

    async def completed(self, claim: Claim, result: Result) -> bool:
        return await insist(lambda: self._queue.complete(claim, result))

    async def failed(
        self, claim: Claim, code: JobErrorCode, message: str, details: Mapping[str, Any] | None = None
    ) -> None:
        failure = JobFailure(code=code, message=message, details=dict(details) if details else None)
        await insist(lambda: self._queue.fail(claim, failure))

    async def again(
        self,
        claim: Claim,
        code: JobErrorCode,
        message: str,
        *,
        first_retry: float = FIRST_RETRY,
        innocent: bool = False,
    ) -> None:
        """Another attempt, later (seconds, doubled each time) and with jitter; failed when none is left.

        An innocent attempt, whose server died while the job waited there, costs none, within a bound.
        """
        if claim.attempt >= claim.max_attempts and not (innocent and await self._granted(claim)):
            tries = f" It was tried {claim.attempt} times." if claim.attempt > 1 else ""
            await self.failed(claim, code, f"{message}{tries} Run it again when the server is well.")
            return
        failure = JobFailure(code=code, message=message)
        delay = min(LONGEST_RETRY, first_retry * 2 ** (claim.attempt - 1)) * (0.5 + self._jitter())
        await insist(lambda: self._queue.retry(claim, failure, delay_seconds=delay))

    async def _granted(self, claim: Claim) -> bool:
        return claim.attempt < MOST_ATTEMPTS and await insist(lambda: self._queue.grant_attempt(claim))

    async def cancelled(self, claim: Claim) -> None:
        await insist(lambda: self._queue.cancelled(claim))

    async def released(self, claim: Claim) -> None:
        await insist(lambda: self._queue.release(claim))
