"""Uploads that survive a broken connection: what has come lies aside in parts, and the rest is sent later."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from rushes.domain.errors import Conflict, InvalidFile, NotFound
from rushes.domain.keys import upload_parts_prefix
from rushes.domain.principal import Principal
from rushes.ports import ObjectStorage, Probe, Upload, UploadStore
from rushes.services.upload_hold import LOOK_SECONDS, UploadHold
from rushes.services.uploads import NO_UPLOAD, Uploads

PART_BYTES = 16 * 1024 * 1024  # at most so much is lost with a process that is killed


@dataclass(frozen=True, slots=True)
class Arrived:
    """How much of an upload is here; at the end, what it holds."""

    upload: Upload
    offset: int
    probe: Probe | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    key: str
    begin: int
    end: int


class ResumableUploads:
    """Parts are objects of the store, so that any process may take the next one."""

    def __init__(self, *, uploads: Uploads, store: UploadStore, storage: ObjectStorage) -> None:
        self._uploads = uploads
        self._store = store
        self._storage = storage

    async def arrived(self, principal: Principal, upload_id: UUID) -> Arrived:
        """Where to go on. Raises NotFound."""
        upload = await self._store.get(principal.user_id, upload_id) if principal.user_id else None
        if upload is None:
            raise NotFound(NO_UPLOAD)
        if upload.status == "stored":
            return Arrived(upload, upload.size_bytes)
        return Arrived(upload, _end(await self._parts(upload)))

    async def append(
        self, principal: Principal, upload_id: UUID, offset: int, stream: AsyncIterator[bytes]
    ) -> Arrived:
        """Take what comes, from `offset` on; the upload is finished with its last byte.

        It is taken over from a request that may be long dead without anybody having noticed.
        Raises NotFound, Conflict (whose details have the right offset), InvalidFile.
        """
        upload = await self._uploads.waiting(principal, upload_id)
        async with self._uploads.writing(upload, over=True) as hold:
            return await self._append(upload, offset, stream, hold)

    async def _append(
        self, upload: Upload, offset: int, stream: AsyncIterator[bytes], hold: UploadHold
    ) -> Arrived:
        known = _end(await self._parts(upload)) if upload.in_parts else 0
        if offset != known:
            raise Conflict(
                f"{known} bytes of this upload are here: send the rest with Upload-Offset: {known}.",
                details={"offset": known},
            )
        if not upload.in_parts:
            await self._store.in_parts(upload.id)
        end = await self._keep(upload, offset, stream, hold)
        if end < upload.size_bytes:
            return Arrived(upload, end)
        await hold.renew(LOOK_SECONDS)
        return await self._finish(upload)

    async def _keep(self, upload: Upload, offset: int, stream: AsyncIterator[bytes], hold: UploadHold) -> int:
        pieces = _Pieces(hold.passed(stream))
        while await pieces.more():
            if offset >= upload.size_bytes:
                raise InvalidFile(
                    f"{upload.filename} is longer than the {upload.size_bytes} bytes that were announced. "
                    "Upload it again."
                )
            await hold.renew()
            stored = await self._storage.put(
                f"{_folder(upload)}{offset:015d}",
                pieces.piece(min(PART_BYTES, upload.size_bytes - offset)),
                content_type="application/octet-stream",
            )
            offset += stored.size_bytes
        return offset

    async def _finish(self, upload: Upload) -> Arrived:
        parts = await self._parts(upload)
        taken, probe = await self._uploads.take(upload, self._joined(parts))
        await self._storage.delete_many([part.key for part in parts])
        return Arrived(taken, taken.size_bytes, probe)

    async def _joined(self, parts: list[_Part]) -> AsyncIterator[bytes]:
        for part in parts:
            async for block in self._storage.open(part.key):
                yield block

    async def _parts(self, upload: Upload) -> list[_Part]:
        """Those without gaps; others are of a request that was overtaken."""
        folder = _folder(upload)
        found: list[_Part] = []
        async for one in self._storage.list(folder):
            begin = one.key.removeprefix(folder)
            if begin.isdecimal() and int(begin) == _end(found):
                found.append(_Part(one.key, int(begin), int(begin) + one.size_bytes))
        return found


class _Pieces:
    """A stream, taken piece by piece."""

    def __init__(self, stream: AsyncIterator[bytes]) -> None:
        self._stream = aiter(stream)
        self._rest = b""

    async def more(self) -> bool:
        """Whether anything is left."""
        while not self._rest:
            block = await anext(self._stream, None)
            if block is None:
                return False
            self._rest = block
        return True

    async def piece(self, size: int) -> AsyncIterator[bytes]:
        """The next `size` bytes, or what is left."""
        while size and await self.more():
            block, self._rest = self._rest[:size], self._rest[size:]
            size -= len(block)
            yield block


def _end(parts: list[_Part]) -> int:
    return parts[-1].end if parts else 0


def _folder(upload: Upload) -> str:
    return upload_parts_prefix(upload.user_id, upload.id)
