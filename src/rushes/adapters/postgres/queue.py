"""The queue as people see it."""

from datetime import UTC, datetime, timedelta

from rushes.adapters.postgres.filters import first_id
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.principal import Principal

LONGEST_JOB = timedelta(
    days=7
)  # one that was created earlier than this before the window isn't counted in it


class PostgresQueueDesk:
    """The port QueueDesk."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def line(self, principal: Principal) -> bytes:
        return await self._body("queue_line", user_id=principal.user_id)

    async def pauses(self) -> bytes:
        return await self._body("queue_pauses")

    async def pause(self, workflow_type: str, reason: str | None) -> None:
        await self._database.execute(query("queue_pause"), {"workflow_type": workflow_type, "reason": reason})

    async def resume(self, workflow_type: str) -> bool:
        return await self._database.fetch(query("queue_resume"), {"workflow_type": workflow_type}) is not None

    async def statistics(self, hours: int) -> bytes:
        since = datetime.now(UTC) - timedelta(hours=hours)
        return await self._body("queue_statistics", since=since, from_id=first_id(since - LONGEST_JOB))

    async def _body(self, name: str, **params: object) -> bytes:
        row = await self._database.fetch(query(name), params)
        assert row is not None
        return str(row[0]).encode()
