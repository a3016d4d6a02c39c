"""What has to be done from time to time: the storage outbox, deadlines, old uploads, reasons for waiting."""

import asyncio

import structlog

from rushes.domain.errors import RushesError, Unavailable
from rushes.ports import (
    DispatchQueue,
    ObjectStorage,
    OutboxEntry,
    Server,
    ServerRegistry,
    StorageOutbox,
    UploadStore,
)
from rushes.services.fleet import Fleet

log = structlog.get_logger("rushes.maintenance")

PAUSE = 2.0
PRUNE_EVERY = 300  # rounds


class Maintenance:
    """Any number of processes may run it: every task takes its rows with SKIP LOCKED."""

    def __init__(
        self,
        *,
        queue: DispatchQueue,
        servers: ServerRegistry,
        outbox: StorageOutbox,
        uploads: UploadStore,
        storage: ObjectStorage,
        fleet: Fleet,
    ) -> None:
        self._fleet = fleet
        self._queue = queue
        self._servers = servers
        self._outbox = outbox
        self._uploads = uploads
        self._storage = storage

    async def run(self) -> None:
        """Work until cancelled."""
        rounds = 0
        while True:
            try:
                await self.once(prune=rounds % PRUNE_EVERY == 0)
            except Unavailable as error:
                log.warning("maintenance waits", error=error.message)
            except Exception:
                log.exception("maintenance broke")
            rounds += 1
            await asyncio.sleep(PAUSE)

    async def once(self, *, prune: bool = False) -> None:
        """One round."""
        await self._empty_outbox()
        await self._queue.expire_deadlines()
        await self._explain_waiting()
        if prune:
            await self._uploads.prune()

    async def _explain_waiting(self) -> None:
        reasons = await self._fleet.waiting_reasons()
        general = waiting_reason(await self._servers.list())
        if reasons:
            await self._queue.explain_waiting({need: general or why for need, why in reasons.items()})

    async def _empty_outbox(self) -> None:
        while entries := await self._outbox.take(limit=20):
            for entry in entries:
                try:
                    await self._delete(entry)
                except RushesError as error:
                    log.warning("delete failed", entry=entry.id, tries=entry.tries, error=error.message)
                    await self._outbox.failed(entry.id, error.message)
                else:
                    await self._outbox.done(entry.id)

    async def _delete(self, entry: OutboxEntry) -> None:
        if entry.action == "delete_keys":
            await self._storage.delete_many([str(key) for key in entry.target])
            return
        keys = [stat.key async for stat in self._storage.list(str(entry.target))]
        await self._storage.delete_many(keys)


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
    where = ", ".join(server.url for server in usable[:3])
    return f"No ComfyUI server can be reached ({where}). The job starts by itself when one is back."
