"""A real PostgreSQL for tests: one server for the whole session, shared by all xdist workers, and a fresh
database for whoever wants one.

Load it with `pytest_plugins = ["tests.postgres"]` in the root conftest; tests then ask for `postgres_server`.
RUSHES_TEST_POSTGRES chooses: `embedded` (default; the packaged PostgreSQL), `installed` (the machine's own),
`both` (every test that uses the server runs on each).
"""

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql

from rushes.adapters.postgres.embedded import Binaries, EmbeddedPostgres, installed, packaged
from rushes.domain.errors import Conflict

# Every worker keeps apps, each with its pools, to the end of the session.
FAST = {"fsync": "off", "full_page_writes": "off", "autovacuum": "off", "max_connections": "300"}
_ROOM_BYTES = 4 << 30
_LOCK = 0x52555348  # any number that no test uses


def flavours() -> list[str]:
    """What RUSHES_TEST_POSTGRES asks for."""
    wanted = os.environ.get("RUSHES_TEST_POSTGRES", "embedded")
    choices = {"embedded": ["embedded"], "installed": ["installed"], "both": ["embedded", "installed"]}
    if wanted not in choices:
        raise pytest.UsageError(f"RUSHES_TEST_POSTGRES is one of {', '.join(choices)}, not {wanted!r}")
    return choices[wanted]


@cache
def binaries(flavour: str) -> Binaries | None:
    """The newest PostgreSQL of a flavour; None when there is none here."""
    return next(iter(packaged() if flavour == "embedded" else installed()), None)


@pytest.fixture(scope="session", params=flavours())
def postgres_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The superuser's URL of the session's server. Make a database of your own with `fresh_database`."""
    chosen = binaries(request.param)
    if chosen is None:
        pytest.skip(f"no {request.param} PostgreSQL here")
    session = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}"
    folder = reachable_folder() / f"rushes-tests-{os.geteuid()}-{session[:12]}-{request.param}"
    postgres = EmbeddedPostgres(
        folder / "data", binaries=chosen.folder, settings=FAST, system_dir=folder / "system"
    )
    _make_passable(folder)
    yield postgres.start()
    # The last worker stops it, and takes it away.
    if postgres.stop():
        remove(postgres, folder)


def fresh_database(server_url: str, *, template: str | None = None) -> str:
    """The URL of a new database, empty or like the database `template` (to which nobody may be connected)."""
    name = f"test_{secrets.token_hex(6)}"
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(
                sql.Identifier(name), sql.Identifier(template or "template0")
            )
        )
    return in_database(server_url, name)


def template_database(server_url: str, name: str, prepare: Callable[[str], None]) -> str:
    """Make the database `name` once per session, whichever worker comes first: `prepare(url)` fills it, and must
    close what it opens. Gives the name back, for `fresh_database(…, template=name)`."""
    with psycopg.connect(server_url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        if connection.execute("select from pg_database where datname = %s", (name,)).fetchone() is None:
            unfinished = fresh_database(server_url)
            prepare(unfinished)
            connection.execute(
                sql.SQL("alter database {} rename to {}").format(
                    sql.Identifier(urlsplit(unfinished).path[1:]), sql.Identifier(name)
                )
            )
    return name


def drop_database(url: str) -> None:
    """Remove a database made by `fresh_database`, whoever is still connected to it."""
    name = urlsplit(url).path[1:]
    with psycopg.connect(in_database(url, "postgres"), autocommit=True) as connection:
        connection.execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))


def in_database(url: str, name: str) -> str:
    """The same server and user, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def reachable_folder() -> Path:
    """A temporary folder, in memory where there is plenty, that every user may pass through and run programs
    from: as root, the server runs as another user."""
    for folder in (Path("/dev/shm"), Path(tempfile.gettempdir()).resolve(), Path("/tmp"), Path("/var/tmp")):
        if folder.is_dir() and _suits(folder):
            return folder
    raise RuntimeError("no temporary folder that other users can reach")


def _suits(folder: Path) -> bool:
    if not all(each.stat().st_mode & 0o001 for each in (folder, *folder.parents)):
        return False
    disk = os.statvfs(folder)
    return not disk.f_flag & getattr(os, "ST_NOEXEC", 0) and disk.f_bavail * disk.f_frsize > _ROOM_BYTES


def remove(postgres: EmbeddedPostgres, folder: Path) -> None:
    """Take a test's server and its folder away, unless another worker has just come back to it."""
    try:
        postgres.remove()
        for path in (folder / "data", folder / "system", folder):
            path.rmdir()
    except (Conflict, OSError):
        pass


def _make_passable(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)
