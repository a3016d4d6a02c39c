"""What rows name of the storage, in pages."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg.rows import TupleRow

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.ports import JobFiles, Json, UploadFile


class PostgresStorageRows:
    """The port StorageRows."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def now(self) -> datetime:
        row = await self._database.fetch(query("storage_now"))
        assert row is not None
        moment: datetime = row[0]
        return moment

    async def types(self) -> list[str]:
        return [name for (name,) in await self._database.fetch_all(query("storage_types"))]

    async def jobs(self, workflow_type: str, after: UUID, *, limit: int) -> list[JobFiles]:
        params = {"workflow_type": workflow_type, "after": after, "limit": limit}
        return [_job(row) for row in await self._database.fetch_all(query("storage_jobs"), params)]

    async def again(self, job_ids: Sequence[UUID]) -> dict[UUID, JobFiles]:
        rows = await self._database.fetch_all(query("storage_again"), {"ids": list(job_ids)})
        return {row[0]: _job(row) for row in rows}

    async def uploads(self, after: UUID, *, limit: int) -> list[UploadFile]:
        rows = await self._database.fetch_all(query("storage_uploads"), {"after": after, "limit": limit})
        return [UploadFile(*row) for row in rows]

    async def of_uploads(self, keys: Sequence[str], upload_ids: Sequence[UUID]) -> set[str]:
        return await self._keys("storage_upload_known", keys=list(keys), uploads=list(upload_ids))

    async def booked(self, keys: Sequence[str]) -> set[str]:
        return await self._keys("storage_booked", keys=list(keys))

    async def book(self, keys: Sequence[str], ids: Sequence[UUID]) -> None:
        await self._database.execute(query("storage_book"), {"keys": list(keys), "ids": list(ids)})

    async def mark(self, keys: Sequence[str], job_ids: Sequence[UUID]) -> None:
        await self._database.execute(query("storage_mark"), {"keys": list(keys), "ids": list(job_ids)})

    async def known_lost(self, keys: Sequence[str]) -> set[str]:
        return await self._keys("storage_known_lost", keys=list(keys))

    async def unmark(self, before: datetime) -> int:
        return await self._database.execute(query("storage_unmark"), {"before": before})

    async def state(self) -> Json:
        row = await self._database.fetch(query("storage_state"))
        assert row is not None
        found: Json = json.loads(row[0])
        return found

    async def _keys(self, name: str, **params: Any) -> set[str]:
        return {key for (key,) in await self._database.fetch_all(query(name), params)}


def _job(row: TupleRow) -> JobFiles:
    job_id, ended, files = row
    return JobFiles(job_id, ended, {key: None if size is None else int(size) for key, size in files})
