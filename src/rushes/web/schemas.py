"""What goes in and out, as OpenAPI shows it. Answers on hot paths are bytes made by Postgres in these shapes."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

JobStatusName = Literal["pending", "processing", "completed", "failed", "cancelled"]
VisibilityName = Literal["private", "team", "public"]
MediaKind = Literal["image", "video", "audio", "text", "model3d", "file"]
# Postgres' text holds neither NUL nor lone surrogates.
CleanText = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$")]
Tag = Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=r"^[^\x00]+$")]


class Out(BaseModel):
    model_config = ConfigDict(extra="allow")


class In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ErrorBody(Out):
    code: str
    message: str
    details: dict[str, Any] = {}


class Error(Out):
    """Every error looks like this."""

    error: ErrorBody


class OutputFile(Out):
    name: str
    kind: MediaKind
    key: str
    url: str | None = None
    content_type: str
    size_bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    fps: float | None = None
    poster_key: str | None = None
    thumb_key: str | None = None
    thumbhash: str | None = None
    node_id: str | None = None
    item: int | None = None


class OutputText(Out):
    node_id: str
    name: str | None = None
    item: int | None = None
    text: str


class Outputs(Out):
    files: list[OutputFile] = []
    texts: list[OutputText] = []
    reused: bool = False


class JobProgress(Out):
    stage: str
    percent: int | None = None
    value: float | None = None
    max: float | None = None
    node: str | None = None
    node_title: str | None = None
    position: int | None = None


class Job(Out):
    """A job: the card in the feed, and the detail (which adds what only owner and administrator see)."""

    id: UUID
    job_id: str
    user_id: UUID | None
    workflow_type: str
    workflow_name: str
    workflow_version: str | None = None
    status: JobStatusName
    version: int
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    processing_time_seconds: int | None = None
    inputs: dict[str, Any]
    outputs: Outputs | None = None
    result_urls: list[str]
    prompt_text: str | None = None
    error_code: str | None = None
    error_message: str | None = None
    priority: int
    attempt: int
    max_attempts: int
    cancel_requested_at: datetime | None = None
    waiting_reason: str | None = None
    visibility: VisibilityName
    title: str | None = None
    rating: int | None = None
    tags: list[str] = []
    parent_id: UUID | None = None
    deleted_at: datetime | None = None
    progress: JobProgress | None = None


class Pagination(Out):
    has_more: bool
    next_cursor: str | None


class JobPage(Out):
    data: list[Job]
    pagination: Pagination


class Rows(Out):
    data: list[dict[str, Any]]


class Count(Out):
    """How many; `more` when counting stopped at `count`."""

    count: int
    more: bool


class Counts(Out):
    total: Count
    workflow_type: dict[str, Count]
    status: dict[str, Count]


class JobCounts(Out):
    data: Counts


class SentGraph(Out):
    graph: dict[str, Any]
    prompt_id: str
    attempt: int


class JobRequest(In):
    """A job to submit. A file is named as {"upload_id": …} or {"key": …} in `inputs`."""

    workflow_type: Annotated[str, StringConstraints(max_length=100)]
    inputs: dict[str, Any] = {}
    title: Annotated[CleanText | None, Field(max_length=300)] = None
    priority: Annotated[int, Field(ge=0, le=15, strict=True)] = 5
    visibility: VisibilityName | None = None
    deadline: AwareDatetime | None = None
    metadata: dict[str, Any] = {}
    parent_id: UUID | None = None
    tags: Annotated[list[Tag], Field(max_length=50)] = []
    preview: Annotated[bool | None, Field(description="Run the preview graph, which needs no model")] = None


class JobChanges(In):
    title: Annotated[CleanText | None, Field(max_length=300)] = None
    rating: Annotated[int | None, Field(ge=0, le=5, strict=True)] = None
    tags: Annotated[list[Tag], Field(max_length=50)] = []
    visibility: VisibilityName = "private"


class UploadRequest(In):
    filename: Annotated[str, Field(description="The name alone, at most 255 characters")]
    size_bytes: Annotated[int, Field(strict=True, le=2**53)]
    content_type: Annotated[CleanText | None, Field(max_length=200)] = None
    direct: Annotated[
        bool,
        Field(description="Whether put_url may lead straight to the object storage; then confirm the upload"),
    ] = False


class TusUpload(Out):
    """Where the TUS protocol may be used instead of PUT, and with what."""

    url: str
    headers: dict[str, str]
    chunk_bytes: int


class UploadCreated(Out):
    """Where the bytes go: by PUT to `put_url` with `put_headers`, and then POST `confirm_url` if there is one.

    `content_url` takes them too, through the API; in several requests with Upload-Offset, if need be.
    """

    id: UUID
    filename: str
    size_bytes: int
    status: Literal["waiting"]
    put_url: str
    put_headers: dict[str, str] = {}
    confirm_url: str | None = None
    content_url: str
    tus: TusUpload | None = None


class UploadWaiting(Out):
    """A part has come; the next one begins at `offset`."""

    id: UUID
    status: Literal["waiting"]
    offset: int
    size_bytes: int


class UploadStored(Out):
    id: UUID
    filename: str
    status: Literal["stored"]
    content_type: str
    kind: MediaKind
    size_bytes: int
    sha256: str
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None
    url: str


class WorkflowSummary(Out):
    type: str
    title: str
    description: str | None = None
    icon: str | None = None
    output_kind: str
    version: str
    picture_url: str | None = None
    available: bool
    preview_available: bool
    reason: str | None = None


class WorkflowList(Out):
    data: list[WorkflowSummary]
    preview_default: bool
    broken: dict[str, str] = {}


class WorkflowDetail(WorkflowSummary):
    model_config = ConfigDict(extra="allow", serialize_by_alias=True, validate_by_name=True)

    input_schema: Annotated[dict[str, Any], Field(alias="schema")]
    graphs: list[str]


class EmptiedTrash(Out):
    purged: int
    more: bool


class RetentionShown(Out):
    """Days; null is never. `types` differ from the rest."""

    completed_days: float | None
    failed_days: float | None
    cancelled_days: float | None
    trash_days: float | None
    types: dict[str, dict[str, float | None]] = {}


class Ready(Out):
    ready: bool
    parts: dict[str, dict[str, Any]]
