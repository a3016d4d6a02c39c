"""The port DispatchQueue."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from rushes.domain.errors import Unavailable
from rushes.ports import Claim, JobFailure, Json, Result


class MemoryQueue:
    """`booked` holds every write as (what, claim, more); `away` is how many more calls find no database.

    `waiting` is given out by `claim`, `orphans` by `rescue`; `lost` are jobs whose lease is gone, `cancels` those
    whose cancel was asked for.
    """

    def __init__(self) -> None:
        self.booked: list[tuple[str, Claim, Any]] = []
        self.waiting: list[Claim] = []
        self.orphans: list[Claim] = []
        self.lost: set[UUID] = set()
        self.cancels: set[UUID] = set()
        self.away = 0

    def moves(self) -> list[str]:
        """What was booked, in order."""
        return [what for what, _, _ in self.booked]

    async def some_wait(self) -> bool:
        self._reach()
        return bool(self.waiting)

    async def claim(self, **_: Any) -> Claim | None:
        self._reach()
        return self.waiting.pop(0) if self.waiting else None

    async def rescue(self, **_: Any) -> list[Claim]:
        self._reach()
        found, self.orphans = self.orphans, []
        return found

    async def renew(self, claims: Sequence[Claim], *, lease_seconds: float) -> dict[UUID, bool]:  # noqa: ARG002
        self._reach()
        return {one.job_id: one.job_id in self.cancels for one in claims if one.job_id not in self.lost}

    async def cancels_asked(self, claims: Sequence[Claim]) -> list[UUID]:
        self._reach()
        return [one.job_id for one in claims if one.job_id in self.cancels]

    async def abandoned(self, claim: Claim) -> bool:
        return claim.job_id in self.lost

    async def store_graph(
        self,
        claim: Claim,
        graph: Json,
        workflow_version: str,  # noqa: ARG002
        *,
        client_id: str,  # noqa: ARG002
    ) -> bool:
        return self._book("store_graph", claim, graph)

    async def submitted(self, claim: Claim) -> bool:
        return self._book("submitted", claim)

    async def executed(
        self,
        claim: Claim,
        *,
        ran_seconds: float | None = None,  # noqa: ARG002
        keys: Sequence[str] = (),
    ) -> bool:
        return self._book("executed", claim, *keys)

    async def storing(self, claim: Claim, key: str) -> bool:
        return self._book("storing", claim, key)

    async def progress(self, claim: Claim, progress: Json) -> bool:
        return self._book("progress", claim, progress)

    async def complete(self, claim: Claim, result: Result) -> bool:
        return self._book("complete", claim, result)

    async def add_derived(self, claim: Claim, outputs: Json) -> None:
        self._book("add_derived", claim, outputs)

    async def fail(self, claim: Claim, failure: JobFailure) -> bool:
        return self._book("fail", claim, failure)

    async def cancelled(self, claim: Claim) -> bool:
        return self._book("cancelled", claim)

    async def retry(self, claim: Claim, failure: JobFailure, *, delay_seconds: float) -> bool:
        return self._book("retry", claim, (failure, delay_seconds))

    async def grant_attempt(self, claim: Claim) -> bool:
        return self._book("grant_attempt", claim)

    async def release(self, claim: Claim) -> bool:
        return self._book("release", claim)

    async def expire_deadlines(self) -> list[UUID]:
        self._reach()
        return []

    async def explain_waiting(self, reasons: Mapping[str, str | None]) -> None:  # noqa: ARG002
        self._reach()

    def _book(self, what: str, claim: Claim, more: Any = None) -> bool:
        self._reach()
        if claim.job_id in self.lost:
            return False
        self.booked.append((what, claim, more))
        return True

    def _reach(self) -> None:
        if self.away > 0:
            self.away -= 1
            raise Unavailable("The database can't be reached.")
