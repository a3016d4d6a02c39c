"""PgBouncer in transaction mode, as Supabase's pooler on port 6543: nothing of a session lasts."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest

CONNECTIONS = 4

_CONFIGURATION = """
[databases]
* = host={host} port={port} user={user} password={password}

[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {listens}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = {connections}
max_client_conn = 200
server_tls_sslmode = disable
logfile = {folder}/log
pidfile = {folder}/pid
"""


def program() -> str:
    """Where it is. Skips the test where it isn't installed."""
    found = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip("PgBouncer isn't on PATH")
    return found


@contextmanager
def pooled(url: str, folder: Path) -> Iterator[str]:
    """The same database through a pooler with few connections."""
    parts = urlsplit(url)
    with socket.create_server(("127.0.0.1", 0)) as free:
        listens = free.getsockname()[1]
    settings = folder / "pgbouncer.ini"
    settings.write_text(
        _CONFIGURATION.format(
            host=parts.hostname, port=parts.port, user=parts.username, password=parts.password,
            listens=listens, connections=CONNECTIONS, folder=folder,
        )
    )  # fmt: skip
    command = [program(), str(settings)]
    if os.geteuid() == 0:  # it refuses to run as root
        shutil.chown(folder, "nobody")
        command[1:1] = ["-u", "nobody"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    through = parts._replace(netloc=f"{parts.username}@127.0.0.1:{listens}").geturl()
    try:
        _until_it_answers(through, process)
        yield through
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def _until_it_answers(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(url, connect_timeout=2).close()
            return
        except psycopg.OperationalError:
            assert process.poll() is None, "PgBouncer ended"
            assert time.monotonic() < end, "PgBouncer doesn't answer"
            time.sleep(0.05)
