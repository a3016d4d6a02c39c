"""The storage outbox: deletes are done, and tried again until the store confirms."""

import asyncio

import structlog

from rushes.domain.errors import InvalidRequest, RushesError, Unavailable
from rushes.ports import ObjectStorage, OutboxEntry, StorageOutbox

log = structlog.get_logger("rushes.outbox")

TOGETHER = 8
PAGE = 500  # keys
FOLDER_DEPTH = 3  # workflows/<type>/<job>/, uploads/<person>/<upload>/


class OutboxWork:
    """Any number of processes may run it: each takes entries of its own. What fails comes back later, on its own."""

    def __init__(self, *, outbox: StorageOutbox, storage: ObjectStorage) -> None:
        self._outbox = outbox
        self._storage = storage

    async def run(self, pause: float) -> None:
        """Work until cancelled; `pause` seconds between looks."""
        while True:
            try:
                await self.once()
            except Unavailable as error:
                log.warning("outbox waits", error=error.message)
            except Exception:
                log.exception("outbox broke")
            await asyncio.sleep(pause)

    async def once(self) -> int:
        """All that is due, or until the store doesn't answer; how many were done."""
        done = 0
        while entries := await self._outbox.take(limit=TOGETHER):
            ended = await asyncio.gather(*(self._work(entry) for entry in entries))
            done += sum(ended)
            if not any(ended):
                break  # most likely the store is away: the rest needn't learn it one by one
        return done

    async def _work(self, entry: OutboxEntry) -> bool:
        try:
            await self._delete(entry)
        except Exception as error:  # whatever it is, other entries go on
            why = error.message if isinstance(error, RushesError) else f"{type(error).__name__}: {error}"
            log.warning("delete failed", entry=entry.id, tries=entry.tries, error=why)
            await self._outbox.failed(entry.id, why)
            return False
        await self._outbox.done(entry.id)
        return True

    async def _delete(self, entry: OutboxEntry) -> None:
        if entry.action == "delete_keys":
            await self._delete_keys([str(key) for key in entry.target])
            return
        prefix = str(entry.target)
        if not prefix.endswith("/") or prefix.count("/") < FOLDER_DEPTH:
            raise InvalidRequest(f"{prefix!r} is no folder of a job or an upload: look who wrote this entry.")
        page: list[str] = []
        async for found in self._storage.list(prefix):
            page.append(found.key)
            if len(page) == PAGE:
                await self._storage.delete_many(page)
                page = []
        if page:
            await self._storage.delete_many(page)

    async def _delete_keys(self, keys: list[str]) -> None:
        """What is no key of ours isn't there, and keeps the others from nothing."""
        try:
            await self._storage.delete_many(keys)
        except InvalidRequest:
            for key in keys:
                try:
                    await self._storage.delete_many([key])
                except InvalidRequest:
                    log.warning("no key to delete", key=key[:200])
