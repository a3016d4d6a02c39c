"""What a bench runs beside itself: a PostgreSQL, Rushes, a demo server. All of it goes when the block ends."""

import asyncio
import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg

from rushes.adapters.postgres.embedded import EmbeddedPostgres
from rushes.adapters.postgres.migrations import migrate

START_SECONDS = 60
SETTINGS = {"shared_buffers": "512MB", "max_connections": "300", "max_wal_size": "4GB"}


@contextmanager
def folder() -> Iterator[Path]:
    """A temporary folder that a database's own user may pass through."""
    with tempfile.TemporaryDirectory(prefix="rushes-bench-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o711)
        yield Path(made)


@contextmanager
def postgres(at: Path, **settings: str) -> Iterator[str]:
    """The URL of a PostgreSQL that writes as safely as a real one, with the schema in it."""
    server = EmbeddedPostgres(
        at / "pg" / "data", settings=SETTINGS | settings, system_dir=at / "pg" / "system"
    )
    (at / "pg").mkdir()
    (at / "pg").chmod(0o711)
    url = server.start()
    try:
        asyncio.run(migrate(url))
        yield url
    finally:
        server.stop()
        server.remove()


def simulated(url: str) -> str:
    """A new database on the same server, with the schema and nothing else."""
    name = f"bench_{secrets.token_hex(4)}"
    with psycopg.connect(in_database(url, "template1"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {urlsplit(url).path[1:]}".encode())
    return in_database(url, name)


def empty(url: str) -> str:
    """A new, empty database on the same server."""
    name = f"bench_{secrets.token_hex(4)}"
    with psycopg.connect(in_database(url, "template1"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return in_database(url, name)


def drop(url: str) -> None:
    """Remove a database that `empty` or `simulated` made."""
    name = urlsplit(url).path[1:]
    with psycopg.connect(in_database(url, "template1"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


def in_database(url: str, name: str) -> str:
    """The same server, another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@contextmanager
def rushes(
    at: Path, database: str, comfy_url: str, workflows: Path, *, apart: bool = False
) -> Iterator[tuple[str, str, list[int]]]:
    """`rushes up` as a process of its own: address, link that signs the administrator in, process ids.

    `apart`: `rushes serve` and `rushes dispatch` instead.
    """
    environment = {
        "RUSHES_DATABASE_URL": database,
        "RUSHES_WORKFLOWS_DIR": str(workflows),
        "RUSHES_LIMIT_JOBS_RUNNING": "off",
        "RUSHES_LIMIT_JOBS_PER_DAY": "off",
        "RUSHES_LIMIT_STORED_GB": "off",
        "RUSHES_LIMIT_SUBMITS_PER_MINUTE": "off",
        "RUSHES_LIMIT_JOBS_WAITING": "off",
    }
    (at / "rushes").mkdir()
    (at / "rushes").chmod(0o700)
    dispatching = ["--comfy-url", comfy_url]
    main = ["serve"] if apart else ["up", "--no-browser", *dispatching]
    greeting = "Rushes serves: " if apart else "Rushes is up: "
    with ExitStack() as stack:

        def start(name: str, *arguments: str) -> subprocess.Popen[str]:
            command = ["-m", "rushes", *arguments, "--data-dir", str(at / "rushes")]
            return stack.enter_context(process(command, environment, at / f"{name}.log"))

        children = [start("rushes", *main, "--port", "0")]
        said = [_said(children[0], at / "rushes.log", word) for word in (greeting, "(once): ")]
        if apart:
            children.append(start("dispatch", "dispatch", *dispatching))
        yield said[0], said[1], [child.pid for child in children]


def _said(child: subprocess.Popen[str], log: Path, word: str) -> str:
    """What a starting process says after that word."""
    until = time.monotonic() + START_SECONDS
    while child.poll() is None and time.monotonic() < until:
        for line in log.read_text().splitlines():
            if word in line:
                return line.split(word)[1].strip()
        time.sleep(0.1)
    raise SystemExit(f"rushes didn't start:\n{log.read_text()[-2000:]}")


@contextmanager
def bare(at: Path, database: str) -> Iterator[str]:
    """The least that a POST can cost, as a process of its own."""
    with process(["-m", "bench.bare", database], {}, at / "bare.log") as child:
        assert child.stdout
        yield child.stdout.readline().strip()


@contextmanager
def demo(at: Path) -> Iterator[str]:
    """The demo server as a process of its own."""
    options = ["--port", "0", "--base-directory", str(at / "comfyui"), "--extra-nodes"]
    with process(["-m", "rushes.testing.comfyui", *options], {}, at / "demo.log") as child:
        assert child.stdout
        found = re.search(r"http://\S+", child.stdout.readline())
        assert found
        yield found[0]


@contextmanager
def process(
    arguments: list[str], environment: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen[str]]:
    """Python with those arguments."""
    with log.open("w") as errors:
        child = subprocess.Popen(
            [sys.executable, *arguments],
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield child
        finally:
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(20)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()


def connect(url: str) -> HTTPConnection:
    """A plain keep-alive connection: as little client as possible in what is measured."""
    parts = urlsplit(url)
    assert parts.hostname
    return HTTPConnection(parts.hostname, parts.port or 80, timeout=60)


def cpu_seconds(database: str) -> float:
    """CPU time that all processes of that PostgreSQL have used, those that have ended included."""
    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("SELECT pg_backend_pid()").fetchone()
        assert row
        postmaster = int(_stat(row[0])[3 - 2])
    total = sum(_times(postmaster))
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                if int(_stat(int(entry.name))[1]) == postmaster:
                    total += sum(_times(int(entry.name))[:2])
            except (FileNotFoundError, ProcessLookupError):
                continue
    return total / os.sysconf("SC_CLK_TCK")


def own_cpu_seconds(pid: int) -> float:
    """CPU time of one process, without those it started."""
    return sum(_times(pid)[:2]) / os.sysconf("SC_CLK_TCK")


def _stat(pid: int) -> list[str]:
    """/proc/pid/stat from the state on; [1] is the parent."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _times(pid: int) -> list[int]:
    """User, system, and those of children that have ended."""
    return [int(value) for value in _stat(pid)[11:15]]
