"""What may be done with a job that exists: cancel, edit, delete, restore."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from rushes.domain.errors import Conflict, NotFound
from rushes.domain.job import JobStatus
from rushes.domain.principal import Principal
from rushes.ports import JobEvents, JobWriter

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

    async def restore(self, principal: Principal, job_id: UUID) -> None:
        """Out of the trash."""
        await self.edit(principal, job_id, {"deleted": False})
