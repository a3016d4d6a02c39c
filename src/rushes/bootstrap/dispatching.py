"""A dispatcher with its maintenance, in this process."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractContextManager, asynccontextmanager

from rushes.adapters.metrics import metrics_port
from rushes.bootstrap.installation import Installation
from rushes.services.collect import Collector
from rushes.services.dispatcher import Dispatcher
from rushes.services.ending import ended
from rushes.services.inputs import InputSender
from rushes.services.maintenance import Maintenance
from rushes.services.outbox import OutboxWork
from rushes.services.report import ProgressReport
from rushes.services.runner import Runner
from rushes.services.server_health import ServerHealth
from rushes.services.settle import Settler


@asynccontextmanager
async def dispatching(
    at: Installation, urls: Sequence[str] = (), *, demo: bool = False
) -> AsyncIterator[Dispatcher]:
    """Dispatch while the block lasts, to these servers and the known ones; then hand back what is in hand."""
    collector = Collector(
        queue=at.queue,
        storage=at.storage,
        media=at.media,
        clock=at.clock,
        keep_metadata=at.settings.keep_metadata,
    )
    dispatcher = _dispatcher(at, collector)
    if urls:
        await at.servers.configure(urls, by=dispatcher.id, demo=demo)
    maintenance = Maintenance(
        queue=at.queue,
        servers=at.servers,
        outbox=OutboxWork(outbox=at.outbox, storage=at.storage),
        retention=at.retention,
        fleet=at.fleet,
        previews=at.previews,
    )
    upkeep = asyncio.create_task(maintenance.run(), name="maintenance")
    work = asyncio.create_task(dispatcher.run(), name="dispatcher")
    try:
        yield dispatcher
    finally:
        dispatcher.stop()
        await ended(upkeep)
        await asyncio.gather(work, return_exceptions=True)
        await collector.drain()


def _dispatcher(at: Installation, collector: Collector) -> Dispatcher:
    health = ServerHealth(comfy=at.comfy, servers=at.servers, fleet=at.fleet)
    runner = Runner(
        queue=at.queue,
        comfy=at.comfy,
        catalog=at.catalog,
        sender=InputSender(storage=at.storage, clock=at.clock),
        collector=collector,
        settler=Settler(queue=at.queue),
        health=health,
        report=lambda claim: ProgressReport(queue=at.queue, events=at.events, claim=claim),
        clock=at.clock,
        stall_seconds=at.settings.stall_minutes * 60,
    )
    return Dispatcher(
        queue=at.queue,
        servers=at.servers,
        health=health,
        processes=at.processes,
        events=at.events,
        runner=runner,
        lease_seconds=at.settings.lease_seconds,
    )


def measuring(at: Installation, *, host: str, port: int) -> AbstractContextManager[int]:
    """Serve this process's metrics on a port of its own while the block lasts; the port. Raises InvalidSetting."""
    return metrics_port(at.metrics, host=host, port=port)
