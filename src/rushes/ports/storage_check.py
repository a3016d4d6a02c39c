"""What the rows say of the storage, for comparing the two."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rushes.ports.shapes import Json


@dataclass(frozen=True, slots=True)
class JobFiles:
    """A job, and the keys that it names with their sizes, as far as those are known."""

    job_id: UUID
    ended: bool
    files: dict[str, int | None]


@dataclass(frozen=True, slots=True)
class UploadFile:
    """An upload whose bytes are here."""

    upload_id: UUID
    key: str
    size_bytes: int
    old: bool  # past its time


class StorageRows(Protocol):
    """Reads a page at a time, so that millions of rows need no memory."""

    async def now(self) -> datetime: ...

    async def types(self) -> list[str]:
        """Every workflow type that has rows."""
        ...

    async def jobs(self, workflow_type: str, after: UUID, *, limit: int) -> list[JobFiles]:
        """Jobs of one type by id, after one."""
        ...

    async def again(self, job_ids: Sequence[UUID]) -> dict[UUID, JobFiles]:
        """Some of them, as they are by now."""
        ...

    async def uploads(self, after: UUID, *, limit: int) -> list[UploadFile]: ...

    async def of_uploads(self, keys: Sequence[str], upload_ids: Sequence[UUID]) -> set[str]:
        """Which of these objects uploads still have."""
        ...

    async def booked(self, keys: Sequence[str]) -> set[str]:
        """Which of these are to be deleted anyway."""
        ...

    async def book(self, keys: Sequence[str], ids: Sequence[UUID]) -> None:
        """Have these deleted, if still no row names them; each with the job or upload it would be of."""
        ...

    async def mark(self, keys: Sequence[str], job_ids: Sequence[UUID]) -> None:
        """These are lost."""
        ...

    async def known_lost(self, keys: Sequence[str]) -> set[str]:
        """Which of these were marked before."""
        ...

    async def unmark(self, before: datetime) -> int:
        """Whatever wasn't marked again since is there again; how many."""
        ...

    async def state(self) -> Json:
        """The outbox: waiting, due, failing, oldest, errors; lost objects; the last retention."""
        ...
