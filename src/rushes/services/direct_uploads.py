"""Uploads that go straight to the object storage: a signed URL to put them, then they are confirmed."""

import hashlib
from dataclasses import replace
from uuid import UUID

from rushes.domain.errors import Conflict, InvalidFile
from rushes.domain.keys import upload_parts_prefix
from rushes.domain.principal import Principal
from rushes.ports import ObjectStorage, Probe, SignedPut, Stored, Upload, UploadStore
from rushes.services.upload_hold import LOOK_SECONDS
from rushes.services.uploads import Uploads, stored_type

SIGNED_SECONDS = 3600


class DirectUploads:
    """What a client puts lies aside until it is confirmed: what was looked into can't be changed any more."""

    def __init__(self, *, uploads: Uploads, store: UploadStore, storage: ObjectStorage) -> None:
        self._uploads = uploads
        self._store = store
        self._storage = storage

    async def offer(self, upload: Upload) -> SignedPut | None:
        """Where to put the bytes; None where they have to come through the API. Raises Unavailable."""
        offer = await self._storage.signed_put(
            _aside(upload),
            seconds=SIGNED_SECONDS,
            size_bytes=upload.size_bytes,
            content_type=stored_type(upload),
        )
        if offer is not None:
            await self._store.in_parts(upload.id)
        return offer

    async def confirm(self, principal: Principal, upload_id: UUID) -> tuple[Upload, Probe]:
        """Take in what was put. Raises NotFound, Conflict, InvalidFile."""
        upload = await self._uploads.waiting(principal, upload_id)
        async with self._uploads.writing(upload) as hold:
            await hold.renew(LOOK_SECONDS)
            return await self._taken_in(upload)

    async def _taken_in(self, upload: Upload) -> tuple[Upload, Probe]:
        aside = _aside(upload)
        if await self._storage.stat(aside) is None:
            raise Conflict("The bytes have not arrived. PUT them to the upload's put_url, then confirm it.")
        await self._storage.copy(aside, upload.key)
        taken = await self._uploads.admit(replace(upload, in_parts=True), await self._measured(upload))
        await self._storage.delete_many([aside])
        return taken

    async def _measured(self, upload: Upload) -> Stored:
        """Of the copy, which no signed URL reaches. Raises InvalidFile; then both are gone."""
        found = await self._storage.stat(upload.key)
        size = found.size_bytes if found else 0
        as_told = found is not None and found.content_type in (None, stored_type(upload))
        if size != upload.size_bytes or not as_told:
            await self._storage.delete_many([upload.key, _aside(upload)])
            what = (
                "was not sent with the headers of put_headers"
                if size == upload.size_bytes
                else "is incomplete"
            )
            raise InvalidFile(
                f"{upload.filename} {what}: {size} of {upload.size_bytes} bytes are there. Upload it again."
            )
        digest = hashlib.sha256()
        async for block in self._storage.open(upload.key):
            digest.update(block)
        return Stored(size, digest.hexdigest())


def _aside(upload: Upload) -> str:
    return upload_parts_prefix(upload.user_id, upload.id) + "whole"
