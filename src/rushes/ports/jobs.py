"""Jobs as people read and write them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from rushes.domain.job import JobStatus
from rushes.domain.principal import Principal
from rushes.ports.shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class JobQuery:
    """The feed's filters; all may be combined."""

    scope: str = "all"  # mine | all (what the principal may see)
    workflow_types: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    q: str | None = None
    tag: str | None = None
    rating_min: int | None = None
    job_id: str | None = None
    created_after: datetime | None = None
    created_before: datetime | None = None
    trash: bool = False
    limit: int = 50
    after: UUID | None = None  # the last id of the page before


@dataclass(frozen=True, slots=True)
class Page:
    """A page of cards: a JSON array, the id of its last card, and whether more follow."""

    data: bytes
    last_id: UUID | None
    has_more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredFile:
    """A file as the database knows it."""

    key: str
    filename: str
    content_type: str
    size_bytes: int | None = None
    sha256: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    fps: float | None = None
    object_key: str | None = None  # where the same bytes were kept already

    @property
    def stored_key(self) -> str:
        """Where the bytes are."""
        return self.object_key or self.key


class JobReader(Protocol):
    """Reads for a person, under row level security; JSON comes back as bytes made by Postgres."""

    async def page(self, principal: Principal, query: JobQuery) -> Page:
        """At most `limit` cards, newest first."""
        ...

    async def counts(self, principal: Principal, query: JobQuery) -> bytes: ...

    async def one(self, principal: Principal, job_id: UUID) -> bytes | None: ...

    async def graph(self, principal: Principal, job_id: UUID) -> bytes | None: ...

    async def attempts(self, principal: Principal, job_id: UUID) -> bytes | None: ...

    async def events(self, principal: Principal, job_id: UUID) -> bytes | None: ...

    async def file(self, principal: Principal, key: str) -> "StoredFile | None":
        """The file behind an object key, if this principal may read it (job files and own uploads)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class NewJob:
    """A validated job, ready to be written."""

    id: UUID
    user_id: UUID
    workflow_type: str
    workflow_name: str
    workflow_version: str
    inputs: Json
    prompt_text: str | None
    requires: str
    waiting_reason: str | None = None
    priority: int = 5
    visibility: str = "private"
    title: str | None = None
    tags: tuple[str, ...] = ()
    deadline_at: datetime | None = None
    max_attempts: int = 3
    metadata: Json = field(default_factory=dict)
    parent_id: UUID | None = None
    user_ip: str | None = None
    idempotency_key: str | None = None
    deletion_booking: int | None = None  # of its folder, to be taken back with the row's commit


@dataclass(frozen=True, slots=True)
class Limits:
    """What one person may use; None is no limit."""

    jobs_per_day: int | None = 500
    jobs_waiting: int | None = 100
    jobs_running: int | None = 4
    bytes_stored: int | None = 20 * 1024**3
    upload_bytes: int | None = None  # None: as the installation has it for each kind of file


class JobWriter(Protocol):
    """The few writes that a person's request leads to."""

    async def insert(self, job: NewJob, limits: Limits) -> bytes:
        """Write the row under the user's limits; `limits` are the installation's. The job as its owner sees it, as
        JSON. Raises QuotaExceeded."""
        ...

    async def check_room(self, user_id: UUID, limits: Limits) -> None:
        """Whether a job would be taken now, before anything is done for it. Raises QuotaExceeded."""
        ...

    async def book_deletion(self, prefix: str) -> int:
        """Have a folder deleted in an hour, unless `insert` takes the booking back."""
        ...

    async def reserve_key(self, user_id: UUID, key: str, body_sha256: str) -> UUID | None:
        """Take an Idempotency-Key; the job's id if that request was answered before.

        Raises IdempotencyKeyReuse (another body) or IdempotencyInFlight.
        """
        ...

    async def settle_key(self, user_id: UUID, key: str, job_id: UUID | None) -> None:
        """Book the job that the key led to; None gives the key back."""
        ...

    async def request_cancel(self, principal: Principal, job_id: UUID) -> JobStatus | None:
        """Ask for a cancel as that person; the status now, or None where there is no such job of theirs."""
        ...

    async def edit(self, principal: Principal, job_id: UUID, changes: Mapping[str, Any]) -> bool:
        """Change title, rating, tags, visibility or deleted (a bool: trash or restore) of an own job."""
        ...
