"""The `storage_outbox` table."""

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.ports import OutboxEntry


class PostgresOutbox:
    """The port StorageOutbox."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def take(self, *, limit: int = 20) -> list[OutboxEntry]:
        rows = await self._database.fetch_all(query("outbox_take"), {"limit": limit})
        return [OutboxEntry(*row) for row in rows]

    async def done(self, entry_id: int) -> None:
        await self._database.execute(query("outbox_done"), {"id": entry_id})

    async def failed(self, entry_id: int, error: str) -> None:
        await self._database.execute(query("outbox_failed"), {"id": entry_id, "error": error})
