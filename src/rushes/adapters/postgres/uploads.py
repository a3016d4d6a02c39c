"""The `uploads` table."""

from dataclasses import asdict
from uuid import UUID

from rushes.adapters.postgres.limits import check_bytes
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.ports import Upload

_COLUMNS = (
    "id", "user_id", "filename", "key", "size_bytes", "status", "declared_type", "content_type", "sha256",
    "width", "height", "duration_seconds", "fps", "in_parts", "object_key",
)  # fmt: skip


class PostgresUploads:
    """The port UploadStore."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def create(self, upload: Upload, *, bytes_limit: int | None = None) -> None:
        async with self._database.service() as connection:
            await connection.execute(query("user_lock"), {"user_id": upload.user_id})
            await check_bytes(connection, upload.user_id, bytes_limit, upload.size_bytes)
            await connection.execute(query("upload_create"), asdict(upload))

    async def get(self, user_id: UUID, upload_id: UUID) -> Upload | None:
        row = await self._database.fetch(query("upload_get"), {"id": upload_id, "user_id": user_id})
        return Upload(**dict(zip(_COLUMNS, row, strict=True))) if row else None

    async def hold(self, upload_id: UUID, writer: UUID, *, seconds: float, over: bool = False) -> bool:
        asked = {"id": upload_id, "writer": writer, "seconds": seconds, "over": over}
        return await self._database.execute(query("upload_hold"), asked) > 0

    async def let_go(self, upload_id: UUID, writer: UUID) -> None:
        await self._database.execute(query("upload_let_go"), {"id": upload_id, "writer": writer})

    async def in_parts(self, upload_id: UUID) -> None:
        await self._database.execute(query("upload_in_parts"), {"id": upload_id})

    async def stored(self, upload: Upload) -> str | None:
        row = await self._database.fetch(query("upload_stored"), asdict(upload))
        return str(row[0]) if row else None

    async def discard(self, upload_id: UUID) -> None:
        await self._database.execute(query("upload_discard"), {"id": upload_id})

    async def prune(self) -> int:
        return len(await self._database.fetch_all(query("upload_prune")))
