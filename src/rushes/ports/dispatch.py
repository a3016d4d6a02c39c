"""The queue as a dispatcher sees it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rushes.domain.job import JobErrorCode
from rushes.ports.fleet import Server
from rushes.ports.shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A job that this dispatcher holds; every write about it names the lease token."""

    job_id: UUID
    lease_token: int
    workflow_type: str
    workflow_name: str
    user_id: UUID | None
    inputs: Json
    attempt: int
    max_attempts: int
    prompt_id: str
    server_id: UUID
    server_url: str
    deadline_at: datetime | None = None
    cancel_requested: bool = False
    graph_sent: bool = False  # the exact graph of this attempt is stored: it may be on the server already
    client_id: str | None = None  # what it was sent with
    earlier: Sequence[Json] = ()  # {"url", "prompt_id", "error_code"} of the attempts before this one


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFailure:
    """Why an attempt or a job ended badly, in words a person can act on."""

    code: JobErrorCode
    message: str
    details: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What a finished job made, in the shape of `workflow_jobs.outputs`."""

    outputs: Json
    result_urls: list[str]
    comfyui_filename: str | None = None
    comfyui_subfolder: str | None = None
    comfyui_type: str | None = None


class DispatchQueue(Protocol):
    """The claim, and every guarded move after it. A bool answer is False when the lease was lost."""

    async def claim(
        self, *, owner: str, server: Server, depth: int, cold: bool, lease_seconds: float
    ) -> Claim | None:
        """Take the next job for a server that holds fewer than `depth` jobs.

        Without `cold` only one that needs no other models than are loaded there, or that waits too long.
        """
        ...

    async def some_wait(self) -> bool:
        """Whether any job could be claimed now, by some server."""
        ...

    async def rescue(self, *, owner: str, lease_seconds: float, limit: int = 10) -> list[Claim]:
        """Take over processing jobs whose lease ran out, in place, each with a new token."""
        ...

    async def renew(self, claims: Sequence[Claim], *, lease_seconds: float) -> dict[UUID, bool]:
        """Prolong leases; job id → cancel requested. A job that is missing in the answer is lost."""
        ...

    async def cancels_asked(self, claims: Sequence[Claim]) -> list[UUID]:
        """Which of these jobs are to be cancelled."""
        ...

    async def store_graph(self, claim: Claim, graph: Json, workflow_version: str, *, client_id: str) -> bool:
        """Keep the exact graph before it is sent."""
        ...

    async def submitted(self, claim: Claim) -> bool: ...

    async def executed(
        self, claim: Claim, *, ran_seconds: float | None = None, keys: Sequence[str] = ()
    ) -> bool:
        """ComfyUI is done with it, after so long: its server may take the next job. Books its objects, too."""
        ...

    async def storing(self, claim: Claim, key: str) -> bool:
        """Book an object before it is written again, so that it can be found and removed whatever happens."""
        ...

    async def progress(self, claim: Claim, progress: Json) -> bool: ...

    async def complete(self, claim: Claim, result: Result) -> bool: ...

    async def add_derived(self, claim: Claim, outputs: Json) -> None:
        """Add posters and thumbnails to the outputs of a job that this claim completed."""
        ...

    async def fail(self, claim: Claim, failure: JobFailure) -> bool: ...

    async def cancelled(self, claim: Claim) -> bool: ...

    async def retry(self, claim: Claim, failure: JobFailure, *, delay_seconds: float) -> bool:
        """Back to pending for the next attempt."""
        ...

    async def grant_attempt(self, claim: Claim) -> bool:
        """Allow one attempt more."""
        ...

    async def release(self, claim: Claim) -> bool:
        """Give the lease up at once, so that another dispatcher takes the job over in place."""
        ...

    async def abandoned(self, claim: Claim) -> bool:
        """For a runner that is late: book what it stored for deletion, unless somebody has use for it.

        Whether the attempt is over, so that its prompt is of no use either.
        """
        ...

    async def expire_deadlines(self) -> list[UUID]:
        """Fail pending jobs whose deadline passed; which ones."""
        ...

    async def explain_waiting(self, reasons: Mapping[str, str | None]) -> None:
        """Write why pending jobs wait, by what they require (None: nothing holds them)."""
        ...
