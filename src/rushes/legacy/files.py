"""Phase 2, `files`: every file that still exists, into the uniform layout; the rest is listed with its reason."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any

from rushes.domain.keys import safe_name
from rushes.legacy.evidence import Evidence
from rushes.legacy.inline import PART, decoded
from rushes.legacy.log import note
from rushes.legacy.places import Address, Places, Refused
from rushes.legacy.queries import filled, query
from rushes.legacy.slots import Slot, slots
from rushes.legacy.tables import UNITS, Shape, shapes
from rushes.legacy.transfer import Progress, check
from rushes.ports import Media, ObjectStorage
from rushes.ports.legacy import LegacyDatabase, NoFile, RemoteFiles

BATCH_ROWS = 500
BATCH_BYTES = 16 * 1024**2
HEAD_BYTES = 64 * 1024
LISTED = 10_000
_REDIRECTS = 3
_MEASURED = ("image", "video", "audio")
_EXTENSIONS = {
    "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif", "image/avif": "avif",
    "image/bmp": "bmp", "image/tiff": "tiff", "image/svg+xml": "svg", "video/mp4": "mp4", "video/webm": "webm",
    "video/quicktime": "mov", "video/x-matroska": "mkv", "video/x-msvideo": "avi", "audio/mpeg": "mp3",
    "audio/wav": "wav", "audio/mp4": "m4a", "audio/flac": "flac", "audio/ogg": "ogg", "text/plain": "txt",
}  # fmt: skip

Sniff = Callable[[bytes, str], tuple[str, str]]
"""Called with a file's first bytes and its name: content type, and image | video | audio | text | model3d | file."""


@dataclass(slots=True)
class Fetched:
    """What was done."""

    rows: int = 0
    stored: int = 0
    bytes: int = 0
    known: int = 0  # stored by an earlier run
    failed: int = 0
    repointed: int = 0
    seconds: float = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    reasons: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "rows": self.rows, "stored": self.stored, "bytes": self.bytes, "stored_before": self.known,
            "failed": self.failed, "rows_that_point_at_them": self.repointed, "reasons": self.reasons,
            "failures": self.failures, "seconds": round(self.seconds, 3),
        }  # fmt: skip


class Fetching:
    """Fetches files, several at a time and no faster than allowed (bytes a second)."""

    def __init__(
        self,
        *,
        source: LegacyDatabase,
        target: LegacyDatabase,
        storage: ObjectStorage,
        remote: RemoteFiles,
        places: Places,
        sniff: Sniff,
        media: Media | None = None,
        at_once: int = 4,
        rate: float | None = None,
    ) -> None:
        self._source = source
        self._target = target
        self._storage = storage
        self._remote = remote
        self._places = places
        self._sniff = sniff
        self._media = media
        self._turns = asyncio.Semaphore(at_once)
        self._rate = rate
        self._free_at = 0.0
        self._reading = asyncio.Lock()  # the source's connection
        self._tables: Mapping[str, Shape] = {}

    async def run(self, *, progress: Progress = lambda _table, _done, _total: None) -> Fetched:
        """All tables; run again, it fetches what is still missing. Raises Unavailable, StorageFull from the storage."""
        done = Fetched()
        began = time.monotonic()
        self._tables = await shapes(self._source)
        check(self._tables)
        async with self._target.lock("files"):
            await note(self._target, "files", "started")
            evidence = await Evidence.gathered(self._source, self._target, self._tables)
            for name in UNITS:
                if name in self._tables:
                    await self._table(evidence, name, done, progress)
            rows = await self._target.fetch(query("files_failed"), {"most": LISTED})
            done.failures = [dict(zip(("table", "row", "slot", "reason"), row, strict=True)) for row in rows]
            counts = await self._target.fetch(query("files_counts"))
            done.reasons = {str(reason): int(n) for state, reason, n, _ in counts if state == "failed"}
            done.seconds = time.monotonic() - began
            await note(
                self._target,
                "files",
                "finished",
                **{k: v for k, v in done.as_dict().items() if k != "failures"},
            )
        return done

    async def _table(self, evidence: Evidence, name: str, done: Fetched, progress: Progress) -> None:
        shape = self._tables[name]
        total = int((await self._source.fetch(filled("count", relation=shape.relation)))[0][0])
        last: str | None = None
        seen = 0
        while True:
            after = "true" if last is None else f"t.{shape.key} > %(after)s::{shape.key_type}"
            bounds = await self._source.fetch(
                filled("batch_bounds", key=shape.key, relation=shape.relation, size=shape.size, range=after),
                {"after": last, "most": BATCH_ROWS, "bytes": BATCH_BYTES},
            )
            if not bounds:
                return
            within = f"{after} AND t.{shape.key} <= %(last)s::{shape.key_type}"
            params = {"after": last, "last": bounds[0][0]}
            pairs = await evidence.pairs(self._source, self._target, name, within, params)
            await self._batch(name, [slot for unit, _ in pairs for slot in slots(unit)], done)
            last, seen = bounds[0][0], seen + len(pairs)
            done.rows += len(pairs)
            progress(name, seen, total)

    async def _batch(self, name: str, wanted: list[Slot], done: Fetched) -> None:
        if not wanted:
            return
        asked = {"name": name, "ids": sorted({slot.row for slot in wanted})}
        known = {
            (row, slot): digest for row, slot, digest in await self._target.fetch(query("files_known"), asked)
        }
        missing = [slot for slot in wanted if known.get((slot.row, slot.slot)) != slot.digest]
        done.known += len(wanted) - len(missing)
        outcomes: list[tuple[Slot, dict[str, Any] | str]] = []

        async def one(slot: Slot) -> None:
            async with self._turns:
                outcomes.append((slot, await self._outcome(slot)))

        async with asyncio.TaskGroup() as group:
            for slot in missing:
                group.create_task(one(slot))
        await self._book(name, outcomes, done)

    async def _book(
        self, name: str, outcomes: list[tuple[Slot, dict[str, Any] | str]], done: Fetched
    ) -> None:
        """The files' rows, and the jobs that point at them from now on, in one transaction."""
        stored = sorted({slot.row for slot, outcome in outcomes if not isinstance(outcome, str)})
        async with self._target.transaction():
            for slot, outcome in outcomes:
                failed = isinstance(outcome, str)
                await self._target.execute(
                    query("files_put"),
                    {
                        "name": name, "row": slot.row, "slot": slot.slot, "source": slot.digest,
                        "state": "failed" if failed else "stored",
                        "file": None if failed else json.dumps(outcome),
                        "reason": outcome if failed else None,
                    },
                )  # fmt: skip
            if stored:
                again = await self._target.fetch(query("files_again"), {"name": name, "ids": stored})
                done.repointed += int(again[0][0])
        for _, outcome in outcomes:
            if isinstance(outcome, str):
                done.failed += 1
            else:
                done.stored += 1
                done.bytes += outcome["size_bytes"]

    async def _outcome(self, slot: Slot) -> dict[str, Any] | str:
        """The stored file, or why there is none. Trouble of our own storage is raised: it isn't the file's."""
        try:
            if slot.kind == "inline":
                return await self._store(slot, self._inline(slot))
            reasons = []
            for address in self._places.addresses(slot.source):
                outcome = await self._fetch(slot, address)
                if not isinstance(outcome, str):
                    return outcome
                reasons.append(outcome)
            return reasons[0]
        except Refused as refused:
            return str(refused)

    async def _fetch(self, slot: Slot, address: Address, redirects: int = _REDIRECTS) -> dict[str, Any] | str:
        try:
            async with self._remote.get(address.url, address.headers) as answer:
                if answer.status in (301, 302, 303, 307, 308) and answer.location and redirects:
                    onward = self._places.may_follow(address.url, answer.location)
                elif answer.status != 200:
                    return f"the server answered {answer.status}"
                else:
                    return await self._store(slot, answer.blocks())
            return await self._fetch(slot, onward, redirects - 1)
        except NoFile as broken:
            return str(broken)

    async def _store(self, slot: Slot, stream: AsyncIterator[bytes]) -> dict[str, Any]:
        head, rest = await _headed(stream)
        if not head:
            raise Refused("the file is empty")
        content_type, kind = self._sniff(head, slot.name)
        key = slot.prefix + _stored_as(slot, content_type, kind)
        stored = await self._storage.put(key, self._paced(head, rest), content_type=content_type)
        file: dict[str, Any] = {
            "key": key, "kind": kind, "content_type": content_type, "size_bytes": stored.size_bytes,
            "sha256": stored.sha256, "width": None, "height": None, "duration_seconds": None,
        }  # fmt: skip
        if self._media and kind in _MEASURED:
            probe = await self._media.probe(key, filename=slot.name)
            file |= {
                "width": probe.width, "height": probe.height, "duration_seconds": probe.duration_seconds,
                "fps": probe.fps,
            }  # fmt: skip
        return file

    async def _paced(self, head: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        await self._wait(len(head))
        yield head
        async for block in rest:
            await self._wait(len(block))
            yield block

    async def _wait(self, size: int) -> None:
        if self._rate:
            now = time.monotonic()
            self._free_at = max(self._free_at, now) + size / self._rate
            await asyncio.sleep(self._free_at - now)

    async def _inline(self, slot: Slot) -> AsyncIterator[bytes]:
        async with aclosing(self._parts(slot)) as parts:
            async for block in decoded(parts):
                yield block

    async def _parts(self, slot: Slot) -> Any:
        """The text from the row itself: what came with the batch may have been cut."""
        shape = self._tables[slot.home]
        statement = filled(
            "inline_part",
            column=slot.column,
            relation=shape.relation,
            key=shape.key,
            key_type=str(shape.key_type),
        )
        start = 1
        while True:
            async with self._reading:
                rows = await self._source.fetch(
                    statement, {"start": start, "size": PART, "row": slot.home_row}
                )
            if not rows or not rows[0][0]:
                return
            yield rows[0][0]
            if len(rows[0][0]) < PART:
                return
            start += PART


async def _headed(stream: AsyncIterator[bytes]) -> tuple[bytes, AsyncIterator[bytes]]:
    head = b""
    async for block in stream:
        head += block
        if len(head) >= HEAD_BYTES:
            break
    return head, stream


def _stored_as(slot: Slot, content_type: str, kind: str) -> str:
    ending = slot.name.rpartition(".")[2] if "." in slot.name else ""
    extension = _EXTENSIONS.get(content_type) or (ending if ending.isalnum() and len(ending) <= 5 else "bin")
    stem = f"output_{kind}" if slot.stem == "output" and kind != "file" else slot.stem
    return safe_name(f"{stem}.{extension.lower()}")
