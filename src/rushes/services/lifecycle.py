"""What may be done with a job that exists: cancel, edit, delete, restore."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import structlog

from rushes.domain.errors import Conflict, NotFound
from rushes.domain.job import JobStatus
from rushes.domain.principal import Principal
from rushes.ports import JobEvents, JobWriter

log = structlog.get_logger("rushes.job")

NO_SUCH_JOB = "There is no such job, or it is not yours."


class Lifecycle:
    """Every change is made as the person who asks, so the database decides what is theirs."""

    def __init__(self, *, writer: JobWriter, events: JobEvents) -> None:
        self._writer = writer
        self._events = events

    async def cancel(self, principal: Principal, job_id: UUID) -> None:
        """Cancel a job; asking again, or for one that has ended as cancelled, is no error."""
        status = await self._writer.request_cancel(principal, job_id)
        if status is None:
            raise NotFound(NO_SUCH_JOB)
        if status in (JobStatus.COMPLETED, JobStatus.FAILED):
            raise Conflict(
                f"The job is {status} already; there is nothing to cancel.", details={"status": status}
            )
        _tell("cancel asked", principal, job_id, status)
        await self._events.notify("cancel", str(job_id))
        await self._events.notify("jobs")

    async def edit(self, principal: Principal, job_id: UUID, changes: Mapping[str, Any]) -> None:
        """Change title, rating, tags or visibility of an own job."""
        if not await self._writer.edit(principal, job_id, changes):
            raise NotFound(NO_SUCH_JOB)
        await self._events.notify("jobs")

    async def delete(self, principal: Principal, job_id: UUID) -> None:
        """Into the trash; one that hasn't ended is cancelled too."""
        status = await self._writer.request_cancel(principal, job_id)
        if status is None:
            raise NotFound(NO_SUCH_JOB)
        await self._events.notify("cancel", str(job_id))
        await self.edit(principal, job_id, {"deleted": True})
        _tell("deleted", principal, job_id, status)

    async def restore(self, principal: Principal, job_id: UUID) -> None:
        """Out of the trash."""
        await self.edit(principal, job_id, {"deleted": False})
        _tell("restored", principal, job_id)


def _tell(what: str, principal: Principal, job_id: UUID, status: JobStatus | None = None) -> None:
    """Of a cancel, the status tells whether it was at once (cancelled) or is now under way (processing)."""
    log.info(
        f"job {what}",
        job_id=str(job_id),
        user_id=str(principal.user_id),
        **({"status": status.value} if status else {}),
    )
