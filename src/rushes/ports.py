"""What the services need of the outside world, as small protocols; adapters meet them structurally."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from rushes.domain.comfy import ComfyFile
from rushes.domain.fleet import Need
from rushes.domain.job import JobErrorCode, JobStatus
from rushes.domain.principal import Principal
from rushes.domain.workflow import Workflow

Json = dict[str, Any]


# --- time ---------------------------------------------------------------------------------------


class Clock(Protocol):
    """Wall-clock time and fresh identifiers, so that tests can hold them still."""

    def now(self) -> datetime: ...

    def uuid7(self) -> UUID: ...


# --- jobs, as a person sees them ----------------------------------------------------------------


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


@dataclass(frozen=True, slots=True)
class Limits:
    """What one person may use; None is no limit."""

    jobs_per_day: int | None = 500
    jobs_waiting: int | None = 100
    jobs_running: int | None = 4
    bytes_stored: int | None = 20 * 1024**3


class JobWriter(Protocol):
    """The few writes that a person's request leads to."""

    async def insert(self, job: NewJob, limits: Limits) -> None:
        """Write the row under the user's limits. Raises QuotaExceeded."""
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


# --- uploads ------------------------------------------------------------------------------------


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


class UploadStore(Protocol):
    async def create(self, upload: Upload) -> None: ...

    async def get(self, user_id: UUID, upload_id: UUID) -> Upload | None: ...

    async def stored(self, upload: Upload) -> None:
        """Book what the finished upload really holds."""
        ...

    async def discard(self, upload_id: UUID) -> None: ...

    async def prune(self) -> int:
        """Delete uploads that no job took in time; how many."""
        ...


# --- the queue, as a dispatcher sees it ---------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One ComfyUI process."""

    id: UUID
    url: str
    name: str
    slots: int = 1
    enabled: bool = True
    draining: bool = False
    state: str = "unknown"
    version: str | None = None
    source: str = "settings"  # settings | demo | admin
    catalog: str | None = None  # digest of what it says it has


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

    async def rescue(self, *, owner: str, lease_seconds: float, limit: int = 10) -> list[Claim]:
        """Take over processing jobs whose lease ran out, in place, each with a new token."""
        ...

    async def renew(self, claims: Sequence[Claim], *, lease_seconds: float) -> dict[UUID, bool]:
        """Prolong leases; job id → cancel requested. A job that is missing in the answer is lost."""
        ...

    async def store_graph(self, claim: Claim, graph: Json, workflow_version: str) -> bool:
        """Keep the exact graph before it is sent."""
        ...

    async def submitted(self, claim: Claim) -> bool: ...

    async def executed(self, claim: Claim) -> bool:
        """ComfyUI is done with it: its server may take the next job."""
        ...

    async def storing(self, claim: Claim, key: str) -> bool:
        """Book an object before it is written, so that it can be found and removed whatever happens."""
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

    async def release(self, claim: Claim) -> bool:
        """Give the lease up at once, so that another dispatcher takes the job over in place."""
        ...

    async def expire_deadlines(self) -> int:
        """Fail pending jobs whose deadline passed; how many."""
        ...

    async def explain_waiting(self, reasons: Mapping[str, str | None]) -> None:
        """Write why pending jobs wait, by what they require (None: nothing holds them)."""
        ...


class ServerRegistry(Protocol):
    """The `comfy_servers` table."""

    async def configure(self, urls: Sequence[str], *, demo: bool = False) -> None:
        """Add the servers of the settings (or the demo server); those no longer named are disabled."""
        ...

    async def list(self) -> "list[Server]": ...

    async def describe(self) -> bytes:
        """All that administrators see of the servers: a JSON array."""
        ...

    async def add(self, url: str, *, name: str, slots: int) -> UUID:
        """Raises Conflict where the URL is there already."""
        ...

    async def change(self, server_id: UUID, changes: Mapping[str, Any]) -> bool:
        """Change name, slots, enabled or draining; enabling closes the breaker."""
        ...

    async def remove(self, server_id: UUID) -> bool:
        """Forget a server. Raises Conflict while it runs jobs."""
        ...

    async def seen(self, server_id: UUID, stats: "SystemStats") -> None: ...

    async def lost(self, server_id: UUID, error: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Whether a server has what a kind of job needs, and what is missing there."""

    server_id: UUID
    requires: str
    able: bool
    missing: list[str]
    catalog: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A verdict that has to be worked out."""

    server_id: UUID
    catalog: str
    need: Need


class FleetStore(Protocol):
    """What jobs need, what servers have, and who can run what."""

    async def store_need(self, need: Need) -> None: ...

    async def store_catalog(self, server_id: UUID, digest: str, nodes: Json) -> None: ...

    async def catalog(self, digest: str) -> Json: ...

    async def gaps(self) -> list[Gap]:
        """Pairs of enabled server and need without a verdict on the server's present catalog."""
        ...

    async def store_abilities(self, verdicts: Sequence[Ability]) -> None: ...

    async def abilities(self, digest: str) -> list[Ability]: ...

    async def waiting_needs(self) -> list[str]:
        """The kinds of jobs that wait now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What the database says of the installation."""

    sees_rows: bool
    dispatchers: int
    servers: int
    servers_up: int
    waiting: int
    last_error: str | None = None


class Processes(Protocol):
    """Which dispatchers live."""

    async def alive(self, dispatcher_id: str) -> None: ...

    async def gone(self, dispatcher_id: str) -> None: ...

    async def readiness(self) -> Readiness: ...


class QueueDesk(Protocol):
    """The queue as people see it: how long it is, what is paused, how it went lately."""

    async def line(self, principal: Principal) -> bytes:
        """The queue line for a person, as JSON: counts, own position, a time range."""
        ...

    async def pauses(self) -> bytes:
        """What is paused: a JSON array."""
        ...

    async def pause(self, workflow_type: str, reason: str | None) -> None:
        """Hold back a workflow type, or `*` for all."""
        ...

    async def resume(self, workflow_type: str) -> bool: ...

    async def statistics(self, hours: int) -> bytes:
        """Waiting and run times, throughput and failures by type and by server, as JSON."""
        ...


class StorageOutbox(Protocol):
    """Deletes that must reach the object storage."""

    async def take(self, *, limit: int = 20) -> "list[OutboxEntry]": ...

    async def done(self, entry_id: int) -> None: ...

    async def failed(self, entry_id: int, error: str) -> None: ...


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One delete: of a prefix, or of single keys."""

    id: int
    action: str
    target: Any
    tries: int


# --- the live feed ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChange:
    """A job as it now is, for everybody who may see it, and who could see it before."""

    cursor: str  # "<xid>-<id>" of the newest event behind it
    job_id: UUID
    user_id: UUID | None
    visibility: str
    deleted: bool
    card: bytes  # the feed's card, JSON
    was_visibility: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A hint that came over LISTEN: something changed, or one job's progress."""

    kind: str  # jobs | progress | cancel
    payload: str = ""


class JobEvents(Protocol):
    """The event log, and the hints that say when to look."""

    def listen(self, *kinds: str) -> AsyncIterator[Signal]:
        """Hints for ever, reconnecting by itself; yields kind `jobs` after each (re)connect."""
        ...

    async def notify(self, kind: str, payload: str = "") -> None: ...

    async def head(self) -> str:
        """The cursor of now."""
        ...

    async def since(self, cursor: str, *, limit: int = 500) -> list[FeedChange]:
        """Jobs changed after that cursor, oldest change first, each once. Raises InvalidCursor."""
        ...


# --- object storage -----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStat:
    """What the store says of an object."""

    key: str
    size_bytes: int
    etag: str
    content_type: str | None = None
    modified_at: datetime | None = None


class ObjectStorage(Protocol):
    """One bucket of keys. Everything streams."""

    async def put(
        self, key: str, stream: AsyncIterator[bytes], *, content_type: str, limit: int | None = None
    ) -> "Stored":
        """Store a stream whole or not at all. Raises TooLarge past `limit` bytes, StorageFull, Unavailable."""
        ...

    async def stat(self, key: str) -> ObjectStat | None: ...

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from start to end (exclusive). Raises NotFound."""
        ...

    async def copy(self, source: str, target: str) -> None: ...

    async def delete_many(self, keys: Sequence[str]) -> None:
        """What is not there is no error."""
        ...

    def list(self, prefix: str) -> AsyncIterator[ObjectStat]: ...

    async def signed_get(self, key: str, *, seconds: int, download_name: str | None = None) -> str | None:
        """A short-lived URL, or None where this store can't make one."""
        ...

    async def check(self) -> None:
        """Raise Unavailable or StorageFull when nothing can be stored."""
        ...


@dataclass(frozen=True, slots=True)
class Stored:
    """What a put really stored."""

    size_bytes: int
    sha256: str


# --- media --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """What a file really is: sniffed and measured, not believed."""

    content_type: str
    kind: str  # image | video | audio | text | model3d | file
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    fps: float | None = None
    problem: str | None = None  # why it couldn't be read, in words


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """Derived pictures of an output, stored beside it."""

    thumb_key: str | None = None
    poster_key: str | None = None
    thumbhash: str | None = None


class Media(Protocol):
    """Looks into files, in worker processes."""

    async def probe(self, key: str, *, filename: str = "") -> Probe: ...

    async def preview(self, key: str, probe: Probe, *, thumb_key: str, poster_key: str) -> Preview: ...

    async def strip(self, stream: AsyncIterator[bytes], *, filename: str) -> AsyncIterator[bytes]:
        """The same file without the prompt and graph that ComfyUI writes into it."""
        ...


# --- ComfyUI ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStats:
    """What GET /system_stats says."""

    version: str
    devices: list[Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptState:
    """Where ComfyUI has a prompt: pending, running, finished (with its history entry) or unknown."""

    where: str
    history: Json | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfyEvent:
    """A websocket message about one prompt; a hint, never the truth."""

    type: str
    prompt_id: str | None
    data: Json = field(default_factory=dict)


class ComfyServer(Protocol):
    """One ComfyUI server. Raises the errors of `rushes.domain.comfy`."""

    async def system_stats(self) -> SystemStats: ...

    async def object_info(self) -> Json: ...

    async def upload(self, stream: AsyncIterator[bytes], *, filename: str, subfolder: str, size: int) -> str:
        """Send an input file; the name to use for it in a graph."""
        ...

    async def submit(self, prompt_id: str, graph: Json, *, client_id: str) -> None:
        """Queue a graph; its events go to the connection with that client id.

        Raises PromptRejected, or ComfyUnreachable: then the prompt may be there all the same, so `find` it.
        """
        ...

    async def find(self, prompt_id: str) -> PromptState:
        """Look in the queue first, then in the history: prompts only move that way."""
        ...

    async def cancel(self, prompt_id: str) -> None:
        """Cancel that prompt and no other, whether it waits or runs."""
        ...

    def view(self, file: ComfyFile) -> AbstractAsyncContextManager[AsyncIterator[bytes]]: ...

    async def free(self) -> None: ...

    def events(self) -> AbstractAsyncContextManager["ComfyEvents"]: ...


class ComfyEvents(Protocol):
    """One websocket connection, always being read."""

    client_id: str

    @property
    def alive(self) -> bool: ...

    async def next(self, timeout: float) -> ComfyEvent | None:
        """The next message, or None after `timeout` seconds without one or when the socket is gone."""
        ...


class ComfyServers(Protocol):
    """Gives the client for a configured server."""

    def at(self, url: str) -> ComfyServer: ...

    def address(self, url: str) -> str:
        """The URL as it is kept: without credentials and trailing slash. Raises ComfyUnreachable."""
        ...


# --- catalog and people -------------------------------------------------------------------------


class WorkflowCatalog(Protocol):
    """The workflow types that are installed."""

    def list(self) -> Sequence[Workflow]: ...

    def broken(self) -> dict[str, str]:
        """Folders that can't be used, and why."""
        ...

    def get(self, workflow_type: str) -> Workflow:
        """Raises UnknownWorkflow, which names near matches."""
        ...


class Accounts(Protocol):
    """Local accounts: anonymous people by cookie, and the administrator."""

    async def anonymous(self) -> Principal:
        """A new anonymous account."""
        ...

    async def administrator(self) -> Principal:
        """The installation's administrator, made when it is first asked for."""
        ...

    async def find(self, user_id: UUID) -> Principal | None: ...
