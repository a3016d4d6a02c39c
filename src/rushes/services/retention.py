"""Retention: what is past its time goes for good, a batch at a time. Triggers send the files to the outbox."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import structlog

from rushes.domain.retention import RetainDays, RetentionRules
from rushes.ports import Clock, JobEvents, RetentionStore, UploadStore, WorkflowCatalog

log = structlog.get_logger("rushes.retention")

CHORE = "retention"
EVERY_SECONDS = 600.0
BATCH = 200  # jobs: their rows, events and prompts go in one transaction
PRUNE_BATCH = 2000
# How old what nobody asks for any more gets, days.
PRUNED_DAYS = {
    "keys": 1.0,
    "rates": 1 / 24,
    "catalogs": 1.0,
    "needs": 90.0,
    "dispatchers": 1 / 24,
    "sessions": 0.0,
}


class Retention:
    """Any number of processes may run it: one does a round, and each row goes once."""

    def __init__(
        self,
        *,
        store: RetentionStore,
        uploads: UploadStore,
        prune_events: Callable[[datetime], Awaitable[int]],
        events: JobEvents,
        catalog: WorkflowCatalog,
        clock: Clock,
        rules: RetentionRules,
    ) -> None:
        self._store = store
        self._uploads = uploads
        self._prune_events = prune_events
        self._events = events
        self._catalog = catalog
        self._clock = clock
        self.rules = rules

    async def when_due(self) -> bool:
        """A round, unless there was one lately; whether it was done here."""
        if not await self._store.begin(CHORE, every_seconds=EVERY_SECONDS):
            return False
        await self.once()
        return True

    async def once(self) -> dict[str, int]:
        """A round; how many of what went."""
        found = {"jobs": await self._ended() + await self._expired(), "trash": await self._trash()}
        if any(found.values()):
            await self._events.notify("jobs")
        found["uploads"] = await _all(self._uploads.prune)
        found |= await self._rest()
        await self._store.ended(CHORE, found)
        gone = {name: count for name, count in found.items() if count}
        if gone:
            log.info("retention", **gone)
        return found

    def types(self) -> dict[str, RetainDays]:
        """The types that have rules of their own; of a broken one nobody knows, so nothing goes."""
        own = {one.type: one.manifest.retain_days for one in self._catalog.list()}
        keep = RetainDays(completed="off", failed="off", cancelled="off")
        return {name: days for name, days in own.items() if days} | dict.fromkeys(
            self._catalog.broken(), keep
        )

    async def _ended(self) -> int:
        types = self.types()
        gone = 0
        for status, workflow_type in await self._store.kinds(self.rules.concerns(types)):
            days = self.rules.days(status, types.get(workflow_type))
            if days is not None:
                gone += await self._purge_ended(status, workflow_type, self._ago(days))
        return gone

    async def _purge_ended(self, status: str, workflow_type: str, before: datetime) -> int:
        return await _all(
            lambda: self._store.purge_ended(status, workflow_type, before=before, limit=BATCH), BATCH
        )

    async def _expired(self) -> int:
        now = self._clock.now()
        return await _all(lambda: self._store.purge_expired(before=now, limit=BATCH), BATCH)

    async def _trash(self) -> int:
        if self.rules.trash is None:
            return 0
        before = self._ago(self.rules.trash)
        return await _all(lambda: self._store.purge_trash(before=before, limit=BATCH), BATCH)

    async def _rest(self) -> dict[str, int]:
        days = dict(PRUNED_DAYS)
        found = {}
        if self.rules.events is not None:
            found["events"] = await self._prune_events(self._ago(self.rules.events))
            days["words"] = self.rules.events
        for what, age in days.items():
            found[what] = await self._store.prune(what, before=self._ago(age), limit=PRUNE_BATCH)
        return found

    def _ago(self, days: float) -> datetime:
        return self._clock.now() - timedelta(days=days)


async def _all(batch: Callable[[], Awaitable[int]], size: int = 1) -> int:
    """Batch after batch until one isn't full."""
    total = 0
    while (count := await batch()) > 0:
        total += count
        if count < size:
            break
    return total
