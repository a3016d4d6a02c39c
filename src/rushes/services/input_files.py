"""The files of a job's inputs: found, checked for who may use them, and put into the job's folder."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rushes.domain.errors import InvalidFile, NotFound
from rushes.domain.graph_outputs import stored_input_name
from rushes.domain.inputs import at_path, file_fields
from rushes.domain.keys import is_valid_key, job_key, job_prefix
from rushes.domain.principal import Principal
from rushes.domain.workflow import Workflow
from rushes.ports import JobReader, Json, ObjectStorage, StoredFile, Upload, UploadStore

HOW = 'name a file as {"upload_id": "…"} (from POST /api/uploads) or {"key": "…"} (of a file you can see)'


BookDeletion = Callable[[str], Awaitable[int]]


@dataclass(slots=True)
class Placed:
    """Inputs whose files are in the job's folder; `booking` deletes the folder should the job never be written."""

    inputs: Json
    booking: int | None = None


class InputFiles:
    """Resolves file references and copies the files to where the job keeps them."""

    def __init__(self, *, uploads: UploadStore, reader: JobReader, storage: ObjectStorage) -> None:
        self._uploads = uploads
        self._reader = reader
        self._storage = storage

    async def resolve(self, principal: Principal, reference: Any) -> Json:
        """The file behind a reference, as `inputs` keeps it. Raises InvalidFile."""
        if isinstance(reference, Mapping) and isinstance(reference.get("upload_id"), str):
            return _described(await self._upload(principal, reference["upload_id"]))
        if isinstance(reference, Mapping) and isinstance(reference.get("key"), str):
            return _described(await self._visible(principal, reference["key"]))
        raise InvalidFile(HOW)

    async def _upload(self, principal: Principal, upload_id: str) -> Upload:
        try:
            wanted = UUID(upload_id)
        except ValueError:
            raise InvalidFile("upload_id is no UUID; use the id that POST /api/uploads gave") from None
        upload = await self._uploads.get(principal.user_id, wanted) if principal.user_id else None
        if upload is None:
            raise InvalidFile("there is no such upload of yours, or it is older than a day; upload it again")
        if upload.status != "stored":
            raise InvalidFile("its bytes have not arrived yet; PUT them to the upload's put_url first")
        return upload

    async def _visible(self, principal: Principal, key: str) -> StoredFile:
        found = await self._reader.file(principal, key) if is_valid_key(key) else None
        if found is None:
            raise InvalidFile("there is no such file, or you may not see it")
        return found

    @asynccontextmanager
    async def taken(
        self, workflow: Workflow, job_id: UUID, inputs: Mapping[str, Any], *, book_deletion: BookDeletion
    ) -> AsyncIterator[Placed]:
        """The inputs with every file copied into the job's folder; undone if the block fails."""
        placed = Placed(deepcopy(dict(inputs)))
        made: list[str] = []
        try:
            for path, _ in file_fields(workflow.manifest, placed.inputs):
                if placed.booking is None:  # this process may be killed at any moment
                    placed.booking = await book_deletion(job_prefix(workflow.type, job_id))
                file = at_path(placed.inputs, path)
                extension = file["key"].rpartition("/")[2].rpartition(".")
                name = stored_input_name(workflow.manifest, path, extension[2] if extension[1] else "")
                key = job_key(workflow.type, job_id, name)
                made.append(key)
                await self._copy(file["key"], key)
                at_path(placed.inputs, path[:-1])[path[-1]] = {**file, "key": key}
            yield placed
        except BaseException:
            await self._storage.delete_many(made)
            raise

    async def _copy(self, source: str, target: str) -> None:
        try:
            await self._storage.copy(source, target)
        except NotFound:
            raise InvalidFile("an input file is no longer in the storage; upload it again") from None


def _described(file: Upload | StoredFile) -> Json:
    return {
        "filename": file.filename,
        "key": file.stored_key,  # from where it is copied into the job's folder
        "content_type": file.content_type,
        "size_bytes": file.size_bytes,
        "sha256": file.sha256,
        "width": file.width,
        "height": file.height,
        "duration_seconds": file.duration_seconds,
        "fps": file.fps,
    }
