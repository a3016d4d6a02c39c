"""What the endpoints work with; made by the composition root and kept in `app.state`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, Request

from rushes.ports import (
    JobReader,
    MetricsPage,
    ObjectStorage,
    Processes,
    QueueDesk,
    ServerRegistry,
    WorkflowCatalog,
)
from rushes.services.direct_uploads import DirectUploads
from rushes.services.feed import FeedHub
from rushes.services.fleet import Fleet
from rushes.services.forms import Forms
from rushes.services.keys import KeyRing
from rushes.services.lifecycle import Lifecycle
from rushes.services.limits import UsageLimits
from rushes.services.people import PeopleDesk
from rushes.services.resumable_uploads import ResumableUploads
from rushes.services.retention import Retention
from rushes.services.server_desk import ServerDesk
from rushes.services.submission import Submission
from rushes.services.trash import Trash
from rushes.services.uploads import Uploads
from rushes.web.entrance import Entrance


@dataclass(frozen=True, slots=True, kw_only=True)
class Scraping:
    """The metrics, and who may read them: everybody, or administrators and whoever has the token."""

    page: MetricsPage
    open: bool
    token: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The services behind the API."""

    submission: Submission
    uploads: Uploads
    direct_uploads: DirectUploads
    resumable_uploads: ResumableUploads
    forms: Forms
    lifecycle: Lifecycle
    trash: Trash
    retention: Retention
    reader: JobReader
    hub: FeedHub
    catalog: WorkflowCatalog
    entrance: Entrance
    keys: KeyRing
    limits: UsageLimits
    people: PeopleDesk
    storage: ObjectStorage
    processes: Processes
    servers: ServerRegistry
    desk: ServerDesk
    queue: QueueDesk
    fleet: Fleet
    scraping: Scraping
    static: Path | None = None
    stopping: Callable[[], bool] = lambda: False


async def context(request: Request) -> Context:  # a plain function would be run in a thread
    found: Context = request.app.state.context
    return found


Ctx = Annotated[Context, Depends(context)]
