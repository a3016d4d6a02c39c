"""Bring every output of a finished prompt into object storage, in the uniform layout."""

import asyncio
import mimetypes
import time
from contextlib import suppress
from typing import Any

import structlog

from rushes.domain.comfy import ComfyFile, ComfyUnreachable
from rushes.domain.errors import NotFound, RushesError, Unavailable
from rushes.domain.keys import job_key, public_url
from rushes.domain.results import NamedFile, Results
from rushes.ports import (
    Claim,
    Clock,
    ComfyServer,
    DispatchQueue,
    Json,
    Media,
    ObjectStorage,
    Probe,
    Result,
    Stored,
)
from rushes.services.hold import Hold, LeaseLost
from rushes.services.insist import insist
from rushes.services.previews import pictured, preview_keys

log = structlog.get_logger("rushes.collect")

STORE_PATIENCE = 60.0  # for storage or server, seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0


class NoOutput(Exception):
    """ComfyUI says success and lists nothing."""


class Collector:
    """Streams outputs into storage and describes them."""

    def __init__(
        self,
        *,
        queue: DispatchQueue,
        storage: ObjectStorage,
        media: Media,
        clock: Clock,
        keep_metadata: bool = False,
    ) -> None:
        self._queue = queue
        self._storage = storage
        self._media = media
        self._clock = clock
        self._keep_metadata = keep_metadata
        self._deriving: set[asyncio.Task[None]] = set()

    async def collect(self, hold: Hold, server: ComfyServer, named: Results) -> Result:
        """Store every file and text; their keys are booked. Raises NoOutput, LeaseLost, ComfyFileMissing,
        Unavailable, StorageFull."""
        if not named.files and not named.texts:
            raise NoOutput(
                "ComfyUI reported success but made no output: an output node was blocked or skipped. "
                "Look at the graph's switches, then run it again."
            )
        files = [await self._file(hold, server, output) for output in named.files]
        texts = [text.as_json() for text in named.texts]
        first = named.files[0].file if named.files else None
        return Result(
            outputs={"files": files, "texts": texts, "reused": False},
            result_urls=[public_url(file["key"]) for file in files],
            comfyui_filename=first.filename if first else None,
            comfyui_subfolder=first.subfolder if first else None,
            comfyui_type=first.type if first else None,
        )

    async def _file(self, hold: Hold, server: ComfyServer, output: NamedFile) -> Json:
        """One file, tried again while the server still has it: GPU work isn't repeated for a full disk."""
        claim = hold.claim
        key, booked = result_key(claim, output), True
        until, pause = time.monotonic() + STORE_PATIENCE, FIRST_PAUSE
        while True:
            hold.check(self._clock.now())
            if not booked and not await insist(lambda: self._queue.storing(claim, key)):
                raise LeaseLost
            booked = False  # if the lease is lost meanwhile, the key is somebody else's
            try:
                stored = await self._store(server, output.file, key)
                return _described(output, key, stored, await self._probed(key, output))
            except (Unavailable, ComfyUnreachable) as error:
                if time.monotonic() > until:
                    raise
                log.warning("could not store yet", job_id=str(claim.job_id), key=key, error=str(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(hold.changed(), pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _store(self, server: ComfyServer, file: ComfyFile, key: str) -> Stored:
        content_type = mimetypes.guess_type(file.filename)[0] or "application/octet-stream"
        async with server.view(file) as stream:
            kept = stream if self._keep_metadata else await self._media.strip(stream, filename=file.filename)
            return await self._storage.put(key, kept, content_type=content_type)

    async def _probed(self, key: str, output: NamedFile) -> Probe:
        try:
            return await self._media.probe(key, filename=output.stored_as)
        except NotFound as error:  # it was there a moment ago: the storage went away
            raise Unavailable(error.message) from error

    def derive_later(self, claim: Claim, result: Result) -> None:
        """Posters and thumbnails follow; they never hold back `completed`."""
        task = asyncio.create_task(self._derive(claim, result))
        self._deriving.add(task)
        task.add_done_callback(self._deriving.discard)

    async def drain(self) -> None:
        """Wait for the previews under way."""
        await asyncio.gather(*self._deriving, return_exceptions=True)

    async def _derive(self, claim: Claim, result: Result) -> None:
        try:
            files = [
                await self._pictured(claim, n, file) for n, file in enumerate(result.outputs["files"], 1)
            ]
            if files != result.outputs["files"]:
                await self._queue.add_derived(claim, {**result.outputs, "files": files})
        except RushesError as error:
            log.warning("no preview", job_id=str(claim.job_id), error=error.message)

    async def _pictured(self, claim: Claim, number: int, file: Json) -> Json:
        thumb_key, poster_key = preview_keys(claim.workflow_type, claim.job_id, claim.attempt, number)
        return await pictured(self._media, file, thumb_key=thumb_key, poster_key=poster_key)


def result_key(claim: Claim, output: NamedFile) -> str:
    """Where an output is stored."""
    return job_key(claim.workflow_type, claim.job_id, output.stored_as)


def result_keys(claim: Claim, made: Results) -> list[str]:
    """Where all of them are."""
    return [result_key(claim, output) for output in made.files]


def _described(output: NamedFile, key: str, stored: Stored, probe: Probe) -> dict[str, Any]:
    described: dict[str, Any] = {
        "name": output.stored_as,
        "kind": probe.kind,
        "key": key,
        "content_type": probe.content_type,
        "size_bytes": stored.size_bytes,
        "sha256": stored.sha256,
        "width": probe.width,
        "height": probe.height,
        "duration_seconds": probe.duration_seconds,
        "fps": probe.fps,
        "poster_key": None,
        "thumb_key": None,
        "thumbhash": None,
        "node_id": output.node_id,
        "comfyui": {
            "filename": output.file.filename,
            "subfolder": output.file.subfolder,
            "type": output.file.type,
        },
    }
    if output.item is not None:
        described["item"] = output.item
    if probe.problem:
        described["problem"] = probe.problem
    return described
