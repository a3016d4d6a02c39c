"""The Media port: sniff here, decode in worker processes, strip on the way through."""

import base64
import logging
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from rushes.adapters.media.problem import Unreadable
from rushes.adapters.media.sniff import HEAD_BYTES, kind_of, sniff
from rushes.adapters.media.strip.passage import stripped
from rushes.adapters.media.workers import Workers
from rushes.adapters.storage.offloop import off_loop
from rushes.ports import ObjectStorage, Preview, Probe

_log = logging.getLogger(__name__)
_DECODED = ("image", "video", "audio")


@runtime_checkable
class KeepsFiles(Protocol):
    """A store whose objects are files on this machine."""

    def local_path(self, key: str) -> Path: ...


class MediaWorkers:
    """Meets Media for the objects of one store."""

    def __init__(
        self,
        storage: ObjectStorage,
        *,
        temp_dir: Path | None = None,
        workers: int = 2,
        task_seconds: float = 30.0,
        memory_bytes: int = 3 * 1024**3,
    ) -> None:
        self._storage = storage
        self._temp_dir = temp_dir
        self._workers = Workers(workers, memory_bytes=memory_bytes, task_seconds=task_seconds)

    async def start(self) -> None:
        """Make the folder for temporary files; processes start when they are first needed."""
        if (folder := self._temp_dir) is not None:
            await off_loop(lambda: folder.mkdir(parents=True, exist_ok=True))

    async def stop(self) -> None:
        """End the worker processes."""
        await self._workers.stop()

    async def probe(self, key: str, *, filename: str = "") -> Probe:
        """What the object really is. What can't be decoded has a `problem`. Raises NotFound."""
        head = await self._head(key)
        content_type = sniff(head, filename=filename or key)
        kind = kind_of(content_type)
        if not head:
            return Probe(content_type=content_type, kind=kind, problem="The file is empty.")
        if kind not in _DECODED:
            return Probe(content_type=content_type, kind=kind)
        try:
            measured = await self._ask("probe", key, content_type)
        except Unreadable as error:
            return Probe(content_type=content_type, kind=kind, problem=str(error))
        return Probe(**{"content_type": content_type, "kind": kind} | measured)

    async def preview(self, key: str, probe: Probe, *, thumb_key: str, poster_key: str) -> Preview:
        """Store a thumbnail and, for video, a poster; what can't be pictured has neither. Raises NotFound."""
        if probe.kind not in ("image", "video") or probe.problem:
            return Preview()
        try:
            made = await self._ask("preview", key, probe.content_type)
        except Unreadable as error:
            _log.warning("no preview of %s: %s", key, error)
            return Preview()
        return Preview(
            thumb_key=await self._store(thumb_key, made.get("thumb")),
            poster_key=await self._store(poster_key, made.get("poster")),
            thumbhash=made.get("thumbhash"),
        )

    async def strip(self, stream: AsyncIterator[bytes], *, filename: str) -> AsyncIterator[bytes]:
        """The same file without the prompt and graph that ComfyUI writes into it.

        What isn't known or is malformed passes unchanged. Raises, while it is read, StorageFull and Unavailable.
        """
        return stripped(stream, filename=filename, temp_dir=self._temp_dir)

    async def _head(self, key: str) -> bytes:
        return b"".join([block async for block in self._storage.open(key, end=HEAD_BYTES)])

    async def _ask(self, task: str, key: str, content_type: str) -> dict[str, Any]:
        async with self._as_file(key) as path:
            answer = await self._workers.ask({"task": task, "path": str(path), "content_type": content_type})
        if "problem" in answer:
            raise Unreadable(answer["problem"])
        return answer

    async def _store(self, key: str, picture: str | None) -> str | None:
        if picture is None:
            return None
        await self._storage.put(key, _once(base64.b64decode(picture)), content_type="image/webp")
        return key

    @asynccontextmanager
    async def _as_file(self, key: str) -> AsyncIterator[Path]:
        if isinstance(self._storage, KeepsFiles):
            yield self._storage.local_path(key)
            return
        with tempfile.NamedTemporaryFile(dir=self._temp_dir, prefix="media-") as copy:
            async for block in self._storage.open(key):
                await off_loop(lambda block=block: copy.write(block))  # type: ignore[misc]  # binds the block
            copy.flush()
            yield Path(copy.name)


async def _once(block: bytes) -> AsyncIterator[bytes]:
    yield block
