"""What has to be done from time to time: deletes in the storage, deadlines, why jobs wait, retention, previews."""

import asyncio
from collections.abc import Awaitable, Callable

import structlog

from rushes.domain.errors import Unavailable
from rushes.domain.hiding import public_name
from rushes.ports import DispatchQueue, Server, ServerRegistry
from rushes.services.ending import ended
from rushes.services.fleet import Fleet
from rushes.services.outbox import OutboxWork
from rushes.services.previews import Previews
from rushes.services.retention import Retention

log = structlog.get_logger("rushes.maintenance")

PAUSE = 2.0
RETENTION_PAUSE = PREVIEWS_PAUSE = 60.0


class Maintenance:
    """Any number of processes may run it: every task takes its rows with SKIP LOCKED."""

    def __init__(
        self,
        *,
        queue: DispatchQueue,
        servers: ServerRegistry,
        outbox: OutboxWork,
        retention: Retention,
        fleet: Fleet,
        previews: Previews,
    ) -> None:
        self._fleet = fleet
        self._queue = queue
        self._servers = servers
        self._outbox = outbox
        self._retention = retention
        self._previews = previews

    async def run(self) -> None:
        """Work until cancelled. A slow store or a long round of retention keeps nothing else waiting."""
        tasks = [
            asyncio.create_task(self._outbox.run(PAUSE), name="outbox"),
            asyncio.create_task(_repeat(self.tend, PAUSE), name="upkeep"),
            asyncio.create_task(_repeat(self._retention.when_due, RETENTION_PAUSE), name="retention"),
            asyncio.create_task(_repeat(self._previews.when_due, PREVIEWS_PAUSE), name="previews"),
        ]
        try:
            await asyncio.gather(*tasks)
        finally:
            await ended(*tasks)

    async def once(self) -> None:
        """One round of everything."""
        await self._outbox.once()
        await self.tend()
        await self._retention.once()
        await self._previews.when_due()

    async def tend(self) -> None:
        """Deadlines, and why jobs wait."""
        await self._queue.expire_deadlines()
        await self._explain_waiting()

    async def _explain_waiting(self) -> None:
        reasons = await self._fleet.waiting_reasons()
        general = waiting_reason(await self._servers.list())
        if reasons:
            await self._queue.explain_waiting({need: general or why for need, why in reasons.items()})


async def _repeat(work: Callable[[], Awaitable[object]], pause: float) -> None:
    while True:
        try:
            await work()
        except Unavailable as error:
            log.warning("maintenance waits", error=error.message)
        except Exception:
            log.exception("maintenance broke")
        await asyncio.sleep(pause)


def waiting_reason(servers: list[Server]) -> str | None:
    """Why nothing can run at all, or None."""
    usable = [server for server in servers if server.enabled]
    if not usable:
        return "No ComfyUI server is set up. Name one with RUSHES_COMFY_URLS or --comfy-url."
    if any(server.state == "up" and not server.draining for server in usable):
        return None
    if all(server.draining for server in usable):
        return "Every ComfyUI server is being drained. The job starts when one takes jobs again."
    if any(server.state == "unknown" for server in usable):
        return "The ComfyUI servers have not answered yet."
    named = [server.name for server in usable if public_name(server.name) == server.name]
    which = f" ({', '.join(named[:3])})" if named else ""
    return f"No ComfyUI server can be reached{which}. The job starts by itself when one is back."
