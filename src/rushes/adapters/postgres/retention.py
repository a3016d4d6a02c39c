"""What goes for good: by its age, or because somebody empties the trash."""

from collections.abc import Mapping
from datetime import datetime
from typing import LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from rushes.adapters.postgres.filters import first_id
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import Conflict, NotFound
from rushes.domain.principal import Principal

_PRUNED: dict[str, LiteralString] = {
    "keys": "retention_keys",
    "rates": "retention_rates",
    "words": "retention_words",
    "catalogs": "retention_catalogs",
    "needs": "retention_needs",
    "dispatchers": "retention_dispatchers",
    "sessions": "retention_sessions",
}


class PostgresRetention:
    """The ports RetentionStore and TrashStore, as the service role."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def begin(self, chore: str, *, every_seconds: float) -> bool:
        row = await self._database.fetch(query("retention_begin"), {"name": chore, "every": every_seconds})
        return row is not None

    async def ended(self, chore: str, found: Mapping[str, int]) -> None:
        await self._database.execute(query("retention_end"), {"name": chore, "found": Jsonb(dict(found))})

    async def kinds(self, statuses: tuple[str, ...]) -> list[tuple[str, str]]:
        rows = await self._database.fetch_all(query("retention_kinds"), {"statuses": list(statuses)})
        return [(status, workflow_type) for status, workflow_type in rows]

    async def purge_ended(self, status: str, workflow_type: str, *, before: datetime, limit: int) -> int:
        return await self._database.execute(
            query("retention_ended"),
            {"status": status, "workflow_type": workflow_type, "before": before, "limit": limit},
        )

    async def purge_trash(self, *, before: datetime, limit: int) -> int:
        return await self._database.execute(query("retention_trash"), {"before": before, "limit": limit})

    async def purge_expired(self, *, before: datetime, limit: int) -> int:
        return await self._database.execute(query("retention_expired"), {"before": before, "limit": limit})

    async def prune(self, what: str, *, before: datetime, limit: int) -> int:
        params = {"before": before, "limit": limit, "first_id": first_id(before)}
        return await self._database.execute(query(_PRUNED[what]), params)

    async def purge(self, principal: Principal, job_id: UUID) -> None:
        asked = {"id": job_id, "user_id": principal.user_id, "is_admin": principal.is_admin}
        if not await self._database.execute(query("retention_purge"), asked):
            await self._explain(principal, job_id)

    async def empty(self, user_id: UUID, *, limit: int) -> int:
        return await self._database.execute(query("retention_empty"), {"user_id": user_id, "limit": limit})

    async def _explain(self, principal: Principal, job_id: UUID) -> None:
        row = await self._database.fetch(query("retention_state"), {"id": job_id})
        is_own = row is not None and principal.user_id is not None and row[0] == principal.user_id
        if row is None or not (principal.is_admin or is_own):
            raise NotFound("There is no such job, or it is not yours.")
        _, status, origin, in_trash = row
        if origin != "rushes":
            raise Conflict(
                "This job was taken over from the old tables: it stays in the trash, and goes with them."
            )
        if not in_trash:
            raise Conflict("The job is not in the trash. Delete it first, then delete it for good.")
        raise Conflict(
            f"The job is still {status}: it is being cancelled. Ask again in a moment.",
            details={"status": status},
        )
