"""An installation as one process sees it: database, storage, and the services over them."""

import secrets
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from rushes.adapters.catalog import FolderCatalog
from rushes.adapters.clock import SystemClock
from rushes.adapters.comfyui.client import HttpComfyServers
from rushes.adapters.media import MediaWorkers
from rushes.adapters.metrics import PrometheusMetrics, TypeNames
from rushes.adapters.postgres.accounts import PostgresAccounts
from rushes.adapters.postgres.dispatch import PostgresDispatchQueue
from rushes.adapters.postgres.embedded import EmbeddedPostgres
from rushes.adapters.postgres.events import PostgresJobEvents
from rushes.adapters.postgres.fleet import PostgresFleetStore
from rushes.adapters.postgres.metrics import PostgresFigures
from rushes.adapters.postgres.migrations import migrate
from rushes.adapters.postgres.outbox import PostgresOutbox
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.previews import PostgresPreviews
from rushes.adapters.postgres.queue import PostgresQueueDesk
from rushes.adapters.postgres.reader import PostgresJobReader
from rushes.adapters.postgres.retention import PostgresRetention
from rushes.adapters.postgres.servers import PostgresProcesses, PostgresServerRegistry
from rushes.adapters.postgres.storage_check import PostgresStorageRows
from rushes.adapters.postgres.uploads import PostgresUploads
from rushes.adapters.postgres.writer import PostgresJobWriter
from rushes.bootstrap.accounts import People, people
from rushes.bootstrap.locations import shipped_workflows
from rushes.bootstrap.retaining import retention_rules
from rushes.bootstrap.storing import Store, open_storage
from rushes.services.direct_uploads import DirectUploads
from rushes.services.fleet import Fleet
from rushes.services.forms import Forms
from rushes.services.input_files import InputFiles
from rushes.services.journal import JournaledQueue
from rushes.services.lifecycle import Lifecycle
from rushes.services.previews import Previews
from rushes.services.resumable_uploads import ResumableUploads
from rushes.services.retention import Retention
from rushes.services.server_desk import ServerDesk
from rushes.services.submission import Submission
from rushes.services.trash import Trash
from rushes.services.uploads import UploadLimits, Uploads
from rushes.settings import Settings

SEED_LIMIT = 2**53  # a browser's numbers hold no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Installation:
    """Everything that a command may need."""

    settings: Settings
    dsn: str
    database: Database
    events: PostgresJobEvents
    catalog: FolderCatalog
    storage: Store
    media: MediaWorkers
    comfy: HttpComfyServers
    clock: SystemClock
    reader: PostgresJobReader
    queue: JournaledQueue
    servers: PostgresServerRegistry
    fleet: Fleet
    desk: ServerDesk
    queue_desk: PostgresQueueDesk
    processes: PostgresProcesses
    outbox: PostgresOutbox
    storage_rows: PostgresStorageRows
    upload_store: PostgresUploads
    people: People
    accounts: PostgresAccounts
    submission: Submission
    uploads: Uploads
    direct_uploads: DirectUploads
    resumable_uploads: ResumableUploads
    forms: Forms
    lifecycle: Lifecycle
    trash: Trash
    retention: Retention
    previews: Previews
    metrics: PrometheusMetrics
    metric_types: TypeNames
    figures: PostgresFigures


@asynccontextmanager
async def database_url(settings: Settings) -> AsyncIterator[str]:
    """The database's URL: the one that is set, or the embedded one, running while the block lasts."""
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    async with EmbeddedPostgres(settings.data_dir) as url:
        yield url


@asynccontextmanager
async def open_installation(settings: Settings, *, migrated: bool = True) -> AsyncIterator[Installation]:
    """Start what has to run, bring the schema up to date, and put the parts together."""
    async with AsyncExitStack() as stack:
        dsn = await stack.enter_async_context(database_url(settings))
        if migrated:
            await migrate(dsn)
        database = await stack.enter_async_context(
            Database(
                dsn,
                prepare_threshold=None if settings.database_pooler else 5,
                # without a pooler there are three kinds of sessions, which share what there is
                max_size=settings.database_connections // (1 if settings.database_pooler else 3),
            )
        )
        events = PostgresJobEvents(database, listen_dsn=_listen_dsn(settings, dsn))
        stack.push_async_callback(events.aclose)
        storage = await stack.enter_async_context(open_storage(settings))
        media = MediaWorkers(storage, temp_dir=settings.data_dir / "tmp")
        await media.start()
        stack.push_async_callback(media.stop)
        comfy = HttpComfyServers(headers=settings.comfy_headers)
        stack.push_async_callback(comfy.aclose)
        yield _put_together(settings, dsn, database, events, storage, media, comfy)


def catalog(settings: Settings) -> FolderCatalog:
    """The workflow types: those that ship, and the installation's own."""
    own = [settings.workflows_dir] if settings.workflows_dir else []
    return FolderCatalog([shipped_workflows(), *own])


def _listen_dsn(settings: Settings, dsn: str) -> str | None:
    given = settings.database_listen_url.get_secret_value() if settings.database_listen_url else None
    if given is not None:
        return None if given == "off" else given
    return None if settings.database_pooler else dsn


def _put_together(
    settings: Settings,
    dsn: str,
    database: Database,
    events: PostgresJobEvents,
    storage: Store,
    media: MediaWorkers,
    comfy: HttpComfyServers,
) -> Installation:
    clock = SystemClock()
    types = catalog(settings)
    metric_types = TypeNames(lambda: (workflow.type for workflow in types.list()))
    metrics = PrometheusMetrics(types=metric_types)
    reader = PostgresJobReader(database)
    writer = PostgresJobWriter(database=database)
    upload_store = PostgresUploads(database=database)
    servers = PostgresServerRegistry(database=database)
    queue_desk = PostgresQueueDesk(database=database)
    fleet = Fleet(store=PostgresFleetStore(database=database), servers=servers)
    persons = people(settings, database, clock)
    retained = PostgresRetention(database=database)
    uploads = Uploads(
        uploads=upload_store,
        storage=storage,
        media=media,
        clock=clock,
        upload_limits=UploadLimits(
            video_bytes=settings.limit_upload_video_mb * 1024**2,
            other_bytes=settings.limit_upload_mb * 1024**2,
        ),
        usage=persons.limits,
        metrics=metrics,
    )
    return Installation(
        settings=settings,
        dsn=dsn,
        database=database,
        events=events,
        catalog=types,
        storage=storage,
        media=media,
        comfy=comfy,
        clock=clock,
        reader=reader,
        queue=JournaledQueue(
            PostgresDispatchQueue(
                database=database,
                events=events,
                running_limit=settings.limit_jobs_running,
                affinity_seconds=settings.affinity_seconds,
            ),
            metrics=metrics,
            clock=clock,
        ),
        servers=servers,
        fleet=fleet,
        desk=ServerDesk(
            servers=servers, queue=queue_desk, comfy=comfy, fleet=fleet, catalog=types, events=events
        ),
        queue_desk=queue_desk,
        processes=PostgresProcesses(database=database),
        outbox=PostgresOutbox(database=database),
        storage_rows=PostgresStorageRows(database=database),
        upload_store=upload_store,
        people=persons,
        accounts=persons.accounts,
        submission=Submission(
            catalog=types,
            writer=writer,
            reader=reader,
            files=InputFiles(uploads=upload_store, reader=reader, storage=storage),
            events=events,
            clock=clock,
            random_seed=lambda: secrets.randbelow(SEED_LIMIT),
            limits=persons.limits.defaults,
            default_visibility=settings.default_visibility,
            fleet=fleet,
            metrics=metrics,
            preview=settings.preview,
        ),
        uploads=uploads,
        direct_uploads=DirectUploads(uploads=uploads, store=upload_store, storage=storage),
        resumable_uploads=ResumableUploads(uploads=uploads, store=upload_store, storage=storage),
        forms=Forms(catalog=types, uploads=uploads),
        lifecycle=Lifecycle(writer=writer, events=events),
        trash=Trash(store=retained, events=events),
        retention=Retention(
            store=retained,
            uploads=upload_store,
            prune_events=events.prune,
            events=events,
            catalog=types,
            clock=clock,
            rules=retention_rules(settings),
        ),
        previews=Previews(
            store=PostgresPreviews(database=database), storage=storage, media=media, events=events
        ),
        metrics=metrics,
        metric_types=metric_types,
        figures=PostgresFigures(database=database),
    )
