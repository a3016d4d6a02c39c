"""The embedded database in one file, and back: pg_dump's dump with what it must hold, so that it can be verified."""

import hashlib
import json
import os
import shutil
import subprocess
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any
from urllib.parse import unquote, urlsplit, urlunsplit

import psycopg
from psycopg import sql
from psycopg.rows import TupleRow

from rushes.adapters.postgres.embedded import Binaries, installed, packaged
from rushes.adapters.postgres.embedded.programs import environment
from rushes.adapters.postgres.problems import explained
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import Conflict, InvalidFile, InvalidSetting, Unavailable

FORMAT = 1
LEAVING_SECONDS = 2.0  # for connections that were closed a moment ago
_DUMP, _CONTENTS = "database.dump", "contents.json"
_BLOCK = 1 << 20
_WORDS = 1500  # of what a program says
_Connection = psycopg.Connection[TupleRow]


@dataclass(frozen=True, slots=True)
class Contents:
    """What a backup holds: rows by table, and the migrations behind them."""

    made_at: str
    server_major: int
    migrations: list[str]
    rows: dict[str, int]
    sha256: str
    format: int = FORMAT


def back_up(dsn: str, target: Path) -> Contents:
    """Write the database as it is at this moment into a new file. Raises Conflict, InvalidSetting, Unavailable."""
    if target.exists():
        raise Conflict(f"{target} is there already: name a new file.")
    draft = target.with_name(f".{target.name}.part")
    try:
        with _private(draft) as file, zipfile.ZipFile(file, "w", allowZip64=True) as archive:
            contents = _dumped(dsn, archive)
            archive.writestr(_CONTENTS, json.dumps(asdict(contents), indent=2))
        draft.rename(target)
    finally:
        draft.unlink(missing_ok=True)
    return contents


def read(source: Path) -> Contents:
    """What a backup says it holds, its dump compared with that. Raises InvalidFile."""
    try:
        with zipfile.ZipFile(source) as archive:
            contents = Contents(**json.loads(archive.read(_CONTENTS)))
            with archive.open(_DUMP) as dump:
                digest = hashlib.file_digest(dump, "sha256").hexdigest()  # type: ignore[arg-type]  # it has what is needed
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError) as error:
        raise InvalidFile(f"{source} is no backup of Rushes, or it is damaged: {error}.") from None
    if contents.format != FORMAT:
        raise InvalidFile(f"{source} was made by a newer Rushes: restore it with that one.")
    if digest != contents.sha256:
        raise InvalidFile(f"{source} is damaged: its dump isn't the one that was written.")
    return contents


def restore(dsn: str, source: Path) -> Contents:
    """Put a backup into a database where nothing is yet; verified. The roles must be there.

    Raises Conflict, InvalidFile, InvalidSetting, Unavailable.
    """
    contents = read(source)
    with _connected(dsn) as connection:
        _check_room(connection)
        program = _program("pg_restore", contents.server_major)
        if contents.server_major > _major(connection):
            raise InvalidSetting(
                f"{source} is of PostgreSQL {contents.server_major}, and this one is {_major(connection)}: "
                "restore it with the Rushes that made it, or a newer one."
            )
        connection.execute(query("backup_wipe"))
    _load(dsn, program, source)
    with _connected(dsn) as connection:
        found = _counted(connection)
        if found != contents.rows:
            odd = sorted(name for name in found | contents.rows if found.get(name) != contents.rows.get(name))
            raise Unavailable(
                f"What was restored isn't what was backed up: {', '.join(odd)} differ. Try again."
            )
        connection.execute(query("backup_settle"))
    return contents


def _dumped(dsn: str, archive: zipfile.ZipFile) -> Contents:
    with _connected(dsn) as connection:
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        snapshot = _one(connection, "backup_snapshot")  # the dump and the counts are of one moment
        migrations = [version for (version,) in connection.execute(query("backup_versions"))]
        major = _major(connection)
        command = [_program("pg_dump", major), "--format=custom", f"--snapshot={snapshot}"]
        with archive.open(_DUMP, "w", force_zip64=True) as out, _running(dsn, command) as output:
            digest = hashlib.sha256()
            while block := output.read(_BLOCK):
                digest.update(block)
                out.write(block)
        return Contents(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            server_major=major,
            migrations=migrations,
            rows=_counted(connection),
            sha256=digest.hexdigest(),
        )


def _load(dsn: str, program: str, source: Path) -> None:
    command = [program, "--no-owner", "--single-transaction", "--exit-on-error", *_where(dsn)]
    with zipfile.ZipFile(source) as archive, archive.open(_DUMP) as dump, TemporaryFile() as words:
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=words, env=_surroundings(dsn)
        ) as process:
            assert process.stdin
            with suppress(BrokenPipeError):  # it says why
                shutil.copyfileobj(dump, process.stdin, _BLOCK)
                process.stdin.close()
        _check_end(process, words, "restored")


@contextmanager
def _running(dsn: str, command: list[str]) -> Iterator[IO[bytes]]:
    """The output of a program that must end well. Raises Unavailable."""
    with TemporaryFile() as words:
        with subprocess.Popen(
            [*command, *_where(dsn)], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=words,
            env=_surroundings(dsn),
        ) as process:  # fmt: skip
            assert process.stdout
            try:
                yield process.stdout
            except BaseException:
                process.kill()
                raise
        _check_end(process, words, "backed up")


def _check_end(process: "subprocess.Popen[bytes]", words: IO[bytes], done: str) -> None:
    if process.returncode:
        words.seek(0)
        said = words.read().decode(errors="replace").strip()[-_WORDS:]
        raise Unavailable(f"The database can't be {done}. PostgreSQL's program says: {said}")


@contextmanager
def _private(path: Path) -> Iterator[IO[bytes]]:
    """A new file for our eyes only, whole on the disk after the block: it holds every password's hash."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        yield file
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def _connected(dsn: str) -> Iterator[_Connection]:
    """A transaction."""
    with (
        explained(dsn),
        psycopg.connect(dsn, connect_timeout=10, application_name="rushes backup") as connection,
    ):
        yield connection


def _check_room(connection: _Connection) -> None:
    until = time.monotonic() + LEAVING_SECONDS
    while _one(connection, "backup_others"):
        if time.monotonic() > until:
            raise Conflict("This database is in use: stop every Rushes on it first.")
        time.sleep(0.05)
    rows = _counted(connection)
    for table, what in (
        ("public.workflow_jobs", "jobs"),
        ("auth.users", "accounts"),
        ("public.uploads", "uploads"),
    ):
        if rows.get(table):
            raise Conflict(
                f"This installation has {what} already. Restore into an empty one: name a new --data-dir."
            )


def _counted(connection: _Connection) -> dict[str, int]:
    tables = connection.execute(query("backup_tables")).fetchall()
    count = sql.SQL(query("backup_count"))
    found = {}
    for schema, name in tables:
        row = connection.execute(count.format(table=sql.Identifier(schema, name))).fetchone()
        assert row
        found[f"{schema}.{name}"] = int(row[0])
    return found


def _one(connection: _Connection, name: str) -> Any:
    row = connection.execute(query(name)).fetchone()
    assert row
    return row[0]


def _major(connection: _Connection) -> int:
    return connection.info.server_version // 10000


def _program(name: str, major: int) -> str:
    """The program of that version, or the oldest newer one. Raises InvalidSetting."""
    usable = [
        one for one in (*packaged(), *installed()) if one.major >= major and (one.folder / name).exists()
    ]
    if not usable:
        raise InvalidSetting(
            f"There is no {name} of PostgreSQL {major} or newer here: install PostgreSQL's client programs."
        )
    best: Binaries = min(usable, key=lambda one: one.major)
    return best[name]


def _where(dsn: str) -> list[str]:
    """Without the password: every user of the machine can read a command line."""
    parts = urlsplit(dsn)
    plain = parts._replace(netloc=parts.netloc.replace(f":{parts.password}@", "@", 1))
    return ["-d", urlunsplit(plain)]


def _surroundings(dsn: str) -> dict[str, str]:
    return environment() | {"PGPASSWORD": unquote(urlsplit(dsn).password or "")}
