"""Send a job's input files to the ComfyUI server that runs it."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from rushes.domain.errors import InvalidFile, NotFound, Unavailable
from rushes.domain.keys import is_valid_key
from rushes.ports import Clock, ComfyServer, ObjectStorage
from rushes.services.hold import Hold

READ_PATIENCE = 60.0  # for a storage that is away, seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0


class InputSender:
    """Streams input files from storage to a server, into a subfolder of the job's own."""

    def __init__(self, *, storage: ObjectStorage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def send(self, hold: Hold, server: ComfyServer) -> dict[str, str]:
        """Object key → the name that the graph must use for it. Raises InvalidFile when one is gone, Unavailable."""
        return {
            key: await self._patiently(hold, server, key)
            for key in dict.fromkeys(file_keys(hold.claim.inputs))
        }

    async def _patiently(self, hold: Hold, server: ComfyServer, key: str) -> str:
        until, pause = time.monotonic() + READ_PATIENCE, FIRST_PAUSE
        while True:
            hold.check(self._clock.now())
            try:
                return await self._send_one(hold, server, key)
            except Unavailable:
                if time.monotonic() > until:
                    raise
            with suppress(TimeoutError):
                await asyncio.wait_for(hold.changed(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _send_one(self, hold: Hold, server: ComfyServer, key: str) -> str:
        stat = await self._storage.stat(key) if is_valid_key(key) else None
        if stat is None:
            raise await self._missing(key)
        try:
            return await server.upload(
                self._storage.open(key),
                filename=key.rsplit("/", 1)[-1],
                subfolder=str(hold.job_id),
                size=stat.size_bytes,
            )
        except NotFound:
            raise await self._missing(key) from None

    async def _missing(self, key: str) -> InvalidFile | Unavailable:
        """Whether the file is gone, or the whole storage is, or was a moment ago: look twice."""
        await self._storage.check()
        if is_valid_key(key) and await self._storage.stat(key) is not None:
            return Unavailable(f"The storage could not give {key} out.")
        return InvalidFile(
            f"The input file {key} is no longer in the storage. Submit the job with a new one."
        )


def file_keys(value: Any) -> Iterator[str]:
    """Every object key in an inputs object, in order."""
    if isinstance(value, dict):
        if isinstance(value.get("key"), str) and "filename" in value:
            yield value["key"]
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from file_keys(item)
