"""The job: its status machine, and the closed list of reasons why one fails."""

from enum import StrEnum


class JobStatus(StrEnum):
    """Where a job stands; nothing leaves a terminal status."""

    PENDING = "pending"
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_terminal(self) -> bool:
        return self in TERMINAL


TERMINAL = frozenset({JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED})

# The database's trigger enforces the same table; a test holds the two together.
TRANSITIONS: dict[JobStatus, frozenset[JobStatus]] = {
    JobStatus.PENDING: frozenset({JobStatus.PROCESSING, JobStatus.CANCELLED, JobStatus.FAILED}),
    JobStatus.PROCESSING: TERMINAL | {JobStatus.PENDING},
    JobStatus.COMPLETED: frozenset(),
    JobStatus.FAILED: frozenset(),
    JobStatus.CANCELLED: frozenset(),
}


class JobErrorCode(StrEnum):
    """Why a job failed (`workflow_jobs.error_code`)."""

    INVALID_WORKFLOW = "invalid_workflow"
    MISSING_NODE = "missing_node"
    MISSING_MODEL = "missing_model"
    MISSING_INPUT = "missing_input"
    NODE_ERROR = "node_error"
    OUT_OF_MEMORY = "out_of_memory"
    NO_OUTPUT = "no_output"
    SERVER_LOST = "server_lost"
    TIMEOUT = "timeout"
    UPLOAD_FAILED = "upload_failed"
    STORAGE_FULL = "storage_full"
    INTERRUPTED = "interrupted"
    INTERNAL = "internal_error"
    LEGACY_ERROR = "legacy_error"
    LEGACY_STALE = "legacy_stale"
    LEGACY_TIMEOUT = "legacy_timeout"


class Visibility(StrEnum):
    """Who besides the owner and the administrators may see a job."""

    PRIVATE = "private"
    TEAM = "team"
    PUBLIC = "public"
