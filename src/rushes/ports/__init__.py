"""What the services need of the outside world, as small protocols; adapters meet them structurally."""

from rushes.domain.comfy import ComfyFile
from rushes.ports.clock import Clock
from rushes.ports.comfy import ComfyEvent, ComfyEvents, ComfyServer, ComfyServers, PromptState, SystemStats
from rushes.ports.dispatch import Claim, DispatchQueue, JobFailure, Result
from rushes.ports.events import FeedChange, FeedPage, JobEvents, Signal
from rushes.ports.fleet import (
    Ability,
    FleetStore,
    Gap,
    Processes,
    QueueDesk,
    Readiness,
    Server,
    ServerRegistry,
)
from rushes.ports.jobs import JobQuery, JobReader, JobWriter, Limits, NewJob, Page, StoredFile
from rushes.ports.media import Media, Preview, Probe
from rushes.ports.metrics import (
    Exposition,
    Figures,
    FigureStore,
    LineFigures,
    Metrics,
    MetricsPage,
    ServerFigures,
)
from rushes.ports.people import (
    Account,
    Accounts,
    Authenticator,
    Keys,
    PasswordHashes,
    Passwords,
    People,
    Rates,
    UseBook,
    WorkflowCatalog,
)
from rushes.ports.previews import PictureJob, PicturePage, PreviewStore
from rushes.ports.retention import RetentionStore, TrashStore
from rushes.ports.shapes import Json
from rushes.ports.storage import ObjectStat, ObjectStorage, OutboxEntry, SignedPut, StorageOutbox, Stored
from rushes.ports.storage_check import JobFiles, StorageRows, UploadFile
from rushes.ports.uploads import Upload, UploadStore

__all__ = [
    "Ability",
    "Account",
    "Accounts",
    "Authenticator",
    "Claim",
    "Clock",
    "ComfyEvent",
    "ComfyEvents",
    "ComfyFile",
    "ComfyServer",
    "ComfyServers",
    "DispatchQueue",
    "Exposition",
    "FeedChange",
    "FeedPage",
    "FigureStore",
    "Figures",
    "FleetStore",
    "Gap",
    "JobEvents",
    "JobFailure",
    "JobFiles",
    "JobQuery",
    "JobReader",
    "JobWriter",
    "Json",
    "Keys",
    "Limits",
    "LineFigures",
    "Media",
    "Metrics",
    "MetricsPage",
    "NewJob",
    "ObjectStat",
    "ObjectStorage",
    "OutboxEntry",
    "Page",
    "PasswordHashes",
    "Passwords",
    "People",
    "PictureJob",
    "PicturePage",
    "Preview",
    "PreviewStore",
    "Probe",
    "Processes",
    "PromptState",
    "QueueDesk",
    "Rates",
    "Readiness",
    "Result",
    "RetentionStore",
    "Server",
    "ServerFigures",
    "ServerRegistry",
    "Signal",
    "SignedPut",
    "StorageOutbox",
    "StorageRows",
    "Stored",
    "StoredFile",
    "SystemStats",
    "TrashStore",
    "Upload",
    "UploadFile",
    "UploadStore",
    "UseBook",
    "WorkflowCatalog",
]
