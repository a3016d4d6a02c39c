"""Uploads: a file is announced with name and size, then its bytes come, then it is looked into."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from unicodedata import category
from uuid import UUID

from rushes.domain.content import PLAIN_BYTES, harmless_type
from rushes.domain.errors import (
    Conflict,
    InvalidFile,
    InvalidInput,
    NotFound,
    RushesError,
    TooLarge,
    Unauthenticated,
)
from rushes.domain.keys import upload_key
from rushes.domain.principal import Principal
from rushes.ports import Clock, Media, Metrics, ObjectStorage, Probe, Stored, Upload, UploadStore
from rushes.services.limits import UsageLimits
from rushes.services.upload_hold import UploadHold, writing

MEDIA_KINDS = ("image", "video", "audio")
NAME_LIMIT = 255
NO_UPLOAD = "There is no such upload of yours. Create it with POST /api/uploads first."
_ODD = (
    "Cc",
    "Cs",
    "Co",
    "Cn",
    "So",
    "Sk",
)  # control, surrogate, private, unassigned, emoji and their modifiers


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """The largest upload, bytes: video, and everything else."""

    video_bytes: int = 500 * 1024**2
    other_bytes: int = 50 * 1024**2

    def of(self, declared_type: str | None, filename: str) -> int:
        video = (declared_type or "").startswith("video/") or filename.lower().endswith(
            (".mp4", ".mov", ".webm", ".mkv", ".avi", ".m4v")
        )
        return self.video_bytes if video else self.other_bytes


class Uploads:
    """Takes files in; what arrives is sniffed and measured, never believed."""

    def __init__(
        self,
        *,
        uploads: UploadStore,
        storage: ObjectStorage,
        media: Media,
        clock: Clock,
        upload_limits: UploadLimits,
        usage: UsageLimits,
        metrics: Metrics,
    ) -> None:
        self._usage = usage
        self._uploads = uploads
        self._storage = storage
        self._media = media
        self._clock = clock
        self.upload_limits = upload_limits
        self._metrics = metrics

    async def create(
        self, principal: Principal, *, filename: str, size_bytes: int, declared_type: str | None
    ) -> Upload:
        """Announce a file. Raises InvalidInput, TooLarge, QuotaExceeded."""
        if principal.user_id is None:
            raise Unauthenticated("Sign in to upload a file.")
        _check_name(filename)
        if size_bytes <= 0:
            raise InvalidFile(
                f"{filename} is empty. Choose a file with something in it.", details={"field": "size_bytes"}
            )
        personal = await self._usage.of(principal.user_id)
        largest = personal.upload_bytes or self.upload_limits.of(declared_type, filename)
        if size_bytes > largest:
            raise TooLarge(
                f"{filename} is {_mb(size_bytes)}; at most {_mb(largest)} are taken. Make it smaller.",
                details={"limit_bytes": largest},
            )
        upload_id = self._clock.uuid7()
        upload = Upload(
            id=upload_id,
            user_id=principal.user_id,
            filename=filename,
            key=upload_key(principal.user_id, upload_id, filename),
            size_bytes=size_bytes,
            declared_type=declared_type,
        )
        await self._uploads.create(upload, bytes_limit=personal.bytes_stored)
        return upload

    async def receive(
        self, principal: Principal, upload_id: UUID, stream: AsyncIterator[bytes]
    ) -> tuple[Upload, Probe]:
        """Take the bytes in. Raises NotFound, Conflict, InvalidFile, TooLarge, StorageFull."""
        upload = await self.waiting(principal, upload_id)
        async with self.writing(upload) as hold:
            return await self.take(upload, hold.passed(stream))

    def writing(self, upload: Upload, *, over: bool = False) -> AbstractAsyncContextManager[UploadHold]:
        """The right to write its bytes, which one request has at a time. Raises Conflict."""
        return writing(self._uploads, self._clock, upload, over=over)

    async def waiting(self, principal: Principal, upload_id: UUID) -> Upload:
        """An upload whose bytes have not come. Raises NotFound, Conflict."""
        upload = await self._uploads.get(principal.user_id, upload_id) if principal.user_id else None
        if upload is None:
            raise NotFound(NO_UPLOAD)
        if upload.status == "stored":
            raise Conflict(
                "The bytes of this upload are here already. Create another upload for another file."
            )
        return upload

    async def discard(self, upload: Upload) -> None:
        """Forget an upload; its object goes with it."""
        await self._uploads.discard(upload.id)

    async def take(self, upload: Upload, stream: AsyncIterator[bytes]) -> tuple[Upload, Probe]:
        """Store the stream as the upload's file, and look into it. Raises InvalidFile, TooLarge, StorageFull."""
        try:
            stored = await self._storage.put(
                upload.key, stream, content_type=stored_type(upload), limit=upload.size_bytes
            )
        except TooLarge as error:
            if error.details.get("limit") != upload.size_bytes:
                raise  # a limit of the store
            raise InvalidFile(
                f"{upload.filename} is longer than the {upload.size_bytes} bytes that were announced. Upload it again."
            ) from error
        return await self.admit(upload, stored)

    async def admit(self, upload: Upload, stored: Stored) -> tuple[Upload, Probe]:
        """Look into what is stored under the upload's key; it is gone if it can't stay. Raises InvalidFile."""
        try:
            if stored.size_bytes != upload.size_bytes:
                raise InvalidFile(
                    f"{upload.filename}: {stored.size_bytes} of {upload.size_bytes} bytes arrived. Upload it again."
                )
            probe = await self._media.probe(upload.key, filename=upload.filename)
            _check_truth(upload, probe)
            taken = replace(
                upload,
                status="stored",
                content_type=probe.content_type,
                sha256=stored.sha256,
                width=probe.width,
                height=probe.height,
                duration_seconds=probe.duration_seconds,
                fps=probe.fps,
            )
            key = await self._uploads.stored(taken)
            if key is None:
                await self._not_waiting(upload)
        except RushesError:
            await self._storage.delete_many([upload.key])
            raise
        self._metrics.uploaded(taken.size_bytes)
        return replace(taken, object_key=key if key != upload.key else None), probe

    async def _not_waiting(self, upload: Upload) -> None:
        """Another request for the same upload was faster, or it was discarded: then its object goes too."""
        if await self._uploads.get(upload.user_id, upload.id) is None:
            raise NotFound(NO_UPLOAD)


def stored_type(upload: Upload) -> str:
    """As what the store keeps it: nothing that a browser would execute."""
    return harmless_type(upload.declared_type or PLAIN_BYTES)


def tidy_name(filename: str) -> str:
    """The name without what an upload's name may not have; for clients that send files found somewhere."""
    kept = "".join(c for c in filename if category(c) not in _ODD and c not in "/\\").strip()
    return kept[-NAME_LIMIT:] or "file"


def _check_name(filename: str) -> None:
    if not filename.strip():
        raise InvalidInput({"filename": "is empty; give the file's name"})
    if len(filename) > NAME_LIMIT:
        raise InvalidInput({"filename": f"has {len(filename)} characters; at most {NAME_LIMIT} are taken"})
    if "/" in filename or "\\" in filename:
        raise InvalidInput({"filename": "is a path; send the name alone, without / and \\"})
    odd = next((character for character in filename if category(character) in _ODD), None)
    if odd is not None:
        raise InvalidInput(
            {"filename": f"has the character U+{ord(odd):04X} in it; use letters, digits and . - _"}
        )


def _check_truth(upload: Upload, probe: Probe) -> None:
    """Refuse a file that is damaged or isn't what it is said to be."""
    if probe.problem and probe.kind in MEDIA_KINDS:
        raise InvalidFile(f"{upload.filename} can't be read: {probe.problem}")
    said = (upload.declared_type or "").partition("/")[0]
    if said in MEDIA_KINDS and probe.kind != said and (said, probe.kind) not in _SIBLINGS:
        raise InvalidFile(
            f"{upload.filename} is said to be {upload.declared_type} and really is {probe.content_type}. "
            "Choose the right file."
        )


# Containers that hold either: an .mp4 or .webm or .ogg without pictures is audio, an animated image may come as video.
_SIBLINGS = {("video", "audio"), ("audio", "video")}


def _mb(size: int) -> str:
    return f"{size / 1024**2:.1f} MB"
