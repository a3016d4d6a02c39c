"""Files that people send."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file that a person has sent, or is about to send."""

    id: UUID
    user_id: UUID
    filename: str
    key: str
    size_bytes: int
    status: str = "waiting"
    declared_type: str | None = None
    content_type: str | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    fps: float | None = None
    in_parts: bool = False  # beside it lies a folder with what has come so far
    object_key: str | None = None  # where the same bytes were kept already

    @property
    def stored_key(self) -> str:
        """Where the bytes are."""
        return self.object_key or self.key


class UploadStore(Protocol):
    async def create(self, upload: Upload, *, bytes_limit: int | None = None) -> None:
        """Book it, its size at once; `bytes_limit` is the installation's. Raises StorageQuotaExceeded."""
        ...

    async def get(self, user_id: UUID, upload_id: UUID) -> Upload | None: ...

    async def hold(self, upload_id: UUID, writer: UUID, *, seconds: float, over: bool = False) -> bool:
        """Take the right to write its bytes, or prolong it; False while somebody else has it or they are here."""
        ...

    async def let_go(self, upload_id: UUID, writer: UUID) -> None:
        """Give that right back."""
        ...

    async def in_parts(self, upload_id: UUID) -> None:
        """From now on, a folder of parts goes with the upload."""
        ...

    async def stored(self, upload: Upload) -> str | None:
        """Book what the finished upload really holds.

        Answers where the bytes are kept: under its own key, or where an upload of the same person has the same bytes
        already (then its own object is deleted later). None when nobody waits for it any more.
        """
        ...

    async def discard(self, upload_id: UUID) -> None: ...

    async def prune(self) -> int:
        """Delete uploads that no job took in time; how many."""
        ...
