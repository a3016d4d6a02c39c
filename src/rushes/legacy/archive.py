"""Archive: the old tables as files that psql can read back, and only then their end."""

import asyncio
import hashlib
import json
import zlib
from collections.abc import AsyncIterator, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any

from rushes.domain.errors import Conflict, NotFound, Unavailable
from rushes.legacy.cutover import PAUSE_SECONDS, TRIES, require_verified
from rushes.legacy.log import last, note
from rushes.legacy.queries import filled, query
from rushes.legacy.rollback import compare
from rushes.ports.legacy import LegacyDatabase, LegacyStatements
from rushes.ports.storage import ObjectStorage

FOLDER = "archive/legacy"
BLOCK = 256 * 1024
LOCK_SECONDS = 1.0
_END = b"\\.\n"


@dataclass(frozen=True, slots=True)
class Dump:
    """One table in the storage. `sha256` is of the compressed file."""

    table: str
    key: str
    rows: int
    size_bytes: int
    sha256: str


@dataclass(slots=True)
class Archive:
    """What was stored, and whether the tables are gone."""

    stamp: str
    dumps: list[Dump] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    dropped: bool = False

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class _Table:
    name: str
    columns: str
    before: str
    after: str


async def archive(
    database: LegacyDatabase,
    storage: ObjectStorage,
    *,
    yes: bool = False,
    dry_run: bool = False,
    verified_hours: float = 24,
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> Archive:
    """Store every archived table and read it back; with `yes`, drop them then.

    Raises Conflict when nothing is cut over, `verify` has not passed, or a row has no equal job.
    """
    async with database.lock("migrate"):
        tables = await _tables(database)
        if dry_run:
            return Archive(stamp="", tables=[table.name for table in tables])
        await require_verified(database, verified_hours)
        await compare(database, [table.name for table in tables], "archive")
        done = Archive(stamp=await _stamp(database), tables=[table.name for table in tables])
        for table in tables:
            done.dumps.append(await _dumped(database, storage, table, done.stamp, progress))
        await _put(
            storage, f"{FOLDER}/{done.stamp}/manifest.json", json.dumps(done.as_dict(), indent=2).encode()
        )
        if yes:
            await _drop(database, done)
        await note(database, "archive", "finished", **done.as_dict())
        return done


async def restore(database: LegacyDatabase, storage: ObjectStorage, *, stamp: str | None = None) -> Archive:
    """The dropped tables back into their archive, all or none; a rollback is possible again.

    Raises Conflict when they are still there, NotFound when there is no such archive.
    """
    async with database.lock("migrate"):
        if stamp is None:
            known = await last(database, "archive", "finished")
            if known is None:
                raise NotFound("The log knows no archive: name one with --stamp, as the storage has it.")
            stamp = str(known["stamp"])
        told = json.loads(await _read(storage, f"{FOLDER}/{stamp}/manifest.json"))
        dumps = [Dump(**dump) for dump in told["dumps"]]
        if await database.fetch(query("archive_tables")):
            raise Conflict(
                "The archived tables are still in the schema legacy_archive: there is nothing to restore."
            )
        for dump in dumps:
            await _check(storage, dump)
        async with database.transaction() as inside:
            await inside.execute(query("archive_schema"))
            for dump in dumps:
                await _load(inside, storage, dump)
            await note(inside, "archive", "restored", stamp=stamp)
        return Archive(stamp=stamp, dumps=dumps, tables=[dump.table for dump in dumps])


async def _tables(database: LegacyStatements) -> list[_Table]:
    views, missing, _ = (await database.fetch(query("rollback_state")))[0]
    if not views:
        raise Conflict("Nothing is cut over: there is nothing to archive before `rushes legacy cutover`.")
    if missing:
        raise Conflict("The old tables are archived and dropped already; --restore brings them back.")
    return [_Table(*row) for row in await database.fetch(query("archive_tables"))]


async def _stamp(database: LegacyStatements) -> str:
    """An archive that was interrupted goes on under its name."""
    begun, ended = await last(database, "archive", "started"), await last(database, "archive", "finished")
    if begun and (ended is None or ended["age_seconds"] > begun["age_seconds"]):
        return str(begun["stamp"])
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    await note(database, "archive", "started", stamp=stamp)
    return stamp


async def _dumped(
    database: LegacyDatabase,
    storage: ObjectStorage,
    table: _Table,
    stamp: str,
    progress: Callable[[str, int, int], None],
) -> Dump:
    step = f"archive {stamp} {table.name}"
    known = await last(database, step, "stored")
    if known:
        dump = Dump(**known["dump"])
    else:
        dump = await _dump(database, storage, table, stamp, progress)
        await note(database, step, "stored", dump=asdict(dump))
    await _check(storage, dump)
    counted = (await database.fetch(filled("archive_count", name=table.name)))[0][0]
    if counted != dump.rows:
        raise Conflict(
            f"{dump.key} has {dump.rows} rows, and legacy_archive.{table.name} {counted}: archive again."
        )
    return dump


async def _dump(
    database: LegacyDatabase,
    storage: ObjectStorage,
    table: _Table,
    stamp: str,
    progress: Callable[[str, int, int], None],
) -> Dump:
    key = f"{FOLDER}/{stamp}/{table.name}.sql.gz"
    rows = 0
    target = f"legacy_archive.{table.name} ({table.columns})"

    async def text() -> AsyncIterator[bytes]:
        nonlocal rows
        yield f"-- Restore with: gunzip -c {table.name}.sql.gz | psql\n".encode()
        yield f"{query('archive_schema').strip()};\n{table.before}\nCOPY {target} FROM stdin;\n".encode()
        async for block in database.copy_out(target):
            rows += block.count(b"\n")  # COPY writes a line break inside of a value as \n, in two characters
            progress(table.name, rows, rows)
            yield block
        yield _END + table.after.encode()

    stored = await storage.put(key, _compressed(text()), content_type="application/gzip")
    return Dump(table.name, key, rows, stored.size_bytes, stored.sha256)


async def _compressed(text: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    squeeze = zlib.compressobj(6, zlib.DEFLATED, 31)
    waiting = bytearray()
    async for block in text:
        waiting += block
        if len(waiting) >= BLOCK:
            if packed := await asyncio.to_thread(squeeze.compress, bytes(waiting)):
                yield packed
            waiting.clear()
    yield squeeze.compress(bytes(waiting)) + squeeze.flush()


async def _lines(storage: ObjectStorage, dump: Dump) -> AsyncIterator[list[bytes]]:
    """Whole lines, in blocks."""
    unpack = zlib.decompressobj(31)
    rest = b""
    async for block in storage.open(dump.key):
        *lines, rest = (rest + unpack.decompress(block)).split(b"\n")
        yield [line + b"\n" for line in lines]
    yield [line for line in (rest + unpack.flush()).splitlines(keepends=True) if line]


async def _load(inside: LegacyStatements, storage: ObjectStorage, dump: Dump) -> None:
    head: list[bytes] = []
    tail: list[bytes] = []
    blocks = _lines(storage, dump)
    pending: list[bytes] = []

    async def rows() -> AsyncIterator[bytes]:
        nonlocal pending
        while True:
            if _END in pending:
                place = pending.index(_END)
                yield b"".join(pending[:place])
                pending = pending[place + 1 :]
                return
            yield b"".join(pending)
            pending = await anext(blocks)

    async for block in blocks:
        pending = block
        while pending and not pending[0].startswith(b"COPY "):
            head.append(pending.pop(0))
        if pending:
            break
    target = pending.pop(0).decode().removeprefix("COPY ").removesuffix(" FROM stdin;\n")
    await inside.execute(b"".join(head).decode())
    await inside.copy_in(target, rows())
    tail = pending
    async for block in blocks:
        tail += block
    if b"".join(tail).strip():
        await inside.execute(b"".join(tail).decode())


async def _check(storage: ObjectStorage, dump: Dump) -> None:
    """Raises Conflict when the file isn't what was stored."""
    found = await storage.stat(dump.key)
    if found is None:
        raise NotFound(f"{dump.key} is not in the storage.")
    digest = hashlib.sha256()
    async for block in storage.open(dump.key):
        digest.update(block)
    if digest.hexdigest() != dump.sha256:
        raise Conflict(f"{dump.key} is not what was stored: its checksum differs. Nothing was changed.")


async def _drop(database: LegacyDatabase, done: Archive) -> None:
    """Children first. What was written through the views since stays noted, for a restore and a rollback."""
    listed = ", ".join(f"legacy_archive.{name}" for name in reversed(done.tables))
    for attempt in range(1, TRIES + 1):
        try:
            async with database.transaction(lock_seconds=LOCK_SECONDS) as inside:
                await inside.execute(filled("archive_drop", tables=listed))
                done.dropped = True
                await note(inside, "archive", "dropped", stamp=done.stamp, tables=done.tables)
            return
        except Unavailable:
            done.dropped = False
            if attempt == TRIES:
                raise
            await asyncio.sleep(PAUSE_SECONDS)


async def _put(storage: ObjectStorage, key: str, content: bytes) -> None:
    async def blocks() -> AsyncIterator[bytes]:
        yield content

    await storage.put(key, blocks(), content_type="application/json")


async def _read(storage: ObjectStorage, key: str) -> bytes:
    return b"".join([block async for block in storage.open(key)])
