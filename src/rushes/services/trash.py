"""The trash: what people put there goes for good when they say so."""

import time
from uuid import UUID

import structlog

from rushes.domain.errors import Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import JobEvents, TrashStore

log = structlog.get_logger("rushes.job")

BATCH = 100
PATIENCE = 10.0  # seconds: then the answer says that more is left


class Trash:
    """Only what is in the trash can go; rows take their files with them."""

    def __init__(self, *, store: TrashStore, events: JobEvents) -> None:
        self._store = store
        self._events = events

    async def purge(self, principal: Principal, job_id: UUID) -> None:
        """One job for good. Raises NotFound, Conflict."""
        await self._store.purge(principal, job_id)
        log.info("job purged", job_id=str(job_id), user_id=str(principal.user_id))
        await self._events.notify("jobs")

    async def empty(self, principal: Principal) -> tuple[int, bool]:
        """One's own trash for good: how many jobs went, and whether more are left."""
        if principal.user_id is None:
            raise Unauthenticated("Sign in first.")
        gone, until = 0, time.monotonic() + PATIENCE
        more = True
        while more and time.monotonic() < until:
            batch = await self._store.empty(principal.user_id, limit=BATCH)
            gone, more = gone + batch, batch == BATCH
        if gone:
            log.info("trash emptied", user_id=str(principal.user_id), jobs=gone)
            await self._events.notify("jobs")
        return gone, more
