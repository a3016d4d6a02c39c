"""Send a job's input files to the ComfyUI server that runs it."""

from collections.abc import Iterator
from typing import Any

from rushes.domain.errors import InvalidFile, NotFound
from rushes.domain.keys import is_valid_key
from rushes.ports import Clock, ComfyServer, ObjectStorage
from rushes.services.hold import Hold


class InputSender:
    """Streams input files from storage to a server, into a subfolder of the job's own."""

    def __init__(self, *, storage: ObjectStorage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def send(self, hold: Hold, server: ComfyServer) -> dict[str, str]:
        """Object key → the name that the graph must use for it. Raises InvalidFile when one is gone."""
        names: dict[str, str] = {}
        for key in dict.fromkeys(file_keys(hold.claim.inputs)):
            hold.check(self._clock.now())
            names[key] = await self._send_one(hold, server, key)
        return names

    async def _send_one(self, hold: Hold, server: ComfyServer, key: str) -> str:
        stat = await self._storage.stat(key) if is_valid_key(key) else None
        if stat is None:
            await self._storage.check()  # a storage that is away has no files either
            raise InvalidFile(
                f"The input file {key} is no longer in the storage. Submit the job with a new one."
            )
        try:
            return await server.upload(
                self._storage.open(key),
                filename=key.rsplit("/", 1)[-1],
                subfolder=str(hold.job_id),
                size=stat.size_bytes,
            )
        except NotFound as error:
            raise InvalidFile(error.message) from error


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
