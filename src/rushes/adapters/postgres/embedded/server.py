"""One postmaster on one cluster: launch it, see whether it lives and answers, stop it."""

import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psycopg

from rushes.adapters.postgres.embedded import log, processes, programs
from rushes.adapters.postgres.embedded import password as passwords
from rushes.adapters.postgres.embedded.account import Account
from rushes.adapters.postgres.embedded.binaries import Binaries
from rushes.adapters.postgres.embedded.home import Home
from rushes.adapters.postgres.embedded.locks import FileLock, is_locked
from rushes.domain.errors import Unavailable

HOST = "127.0.0.1"
_POLL_SECONDS = 0.02
_DEAD_PID = 2**31 - 1  # larger than any system gives


@dataclass(frozen=True)
class Address:
    """Where a postmaster says it listens, from its postmaster.pid."""

    pid: int
    port: int
    ready: bool


def address(home: Home) -> Address | None:
    """What the postmaster.pid says; None when it is missing, half-written or damaged."""
    try:
        lines = (home.cluster / "postmaster.pid").read_text().splitlines()
        return Address(pid=int(lines[0]), port=int(lines[3]), ready=lines[7].strip() == "ready")
    except (FileNotFoundError, ValueError, IndexError):
        return None


def alive(home: Home) -> bool:
    """Whether any process of the cluster lives: ours hold a lock, others show their command line."""
    return is_locked(home.server_lock) or bool(processes.postmasters(home.cluster))


def url(home: Home, port: int, *, database: str = "postgres") -> str:
    """The superuser's URL. Raises Unavailable when the password file is gone."""
    password = passwords.read(home.password)
    if password is None:
        raise Unavailable(
            f"{home.password} is missing: stop every Rushes on {home.data_dir}, and start again."
        )
    return f"postgresql://postgres:{quote(password, safe='')}@{HOST}:{port}/{database}"


def answers(home: Home) -> int | None:
    """The port at which the server of this very cluster takes our password; None when none does yet.

    Raises Unavailable when it runs but refuses the password.
    """
    where = address(home)
    if where is None or not where.ready:
        return None
    try:
        with psycopg.connect(url(home, where.port), connect_timeout=5, autocommit=True) as connection:
            row = connection.execute("select current_setting('data_directory')").fetchone()
    except psycopg.OperationalError as error:
        if "password authentication failed" in str(error):
            raise Unavailable(
                f"The server of {home.cluster} refuses the password in {home.password}: put the right one there, "
                "or stop every Rushes on it, delete that file and start again to get a new one."
            ) from error
        return None
    return where.port if row and Path(row[0]) == home.cluster else None


def launch(
    home: Home, binaries: Binaries, account: Account, *, port: int, settings: Mapping[str, str]
) -> "subprocess.Popen[bytes]":
    """Start a postmaster that outlives us and holds the server lock. It is not ready yet when this returns."""
    lock = FileLock(home.server_lock)
    if not lock.acquire(timeout=5):
        raise Unavailable(
            f"Processes of an older server still use {home.cluster}: wait for them to end, or end them."
        )
    output = log.open_log(home.log)
    try:
        return subprocess.Popen(
            [binaries["postgres"], "-D", str(home.cluster), *_options(home, port, settings)],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=programs.environment(),
            start_new_session=True,
            pass_fds=(lock.descriptor(),),
            **account.process_owner(),
        )
    finally:
        os.close(output)
        lock.release()


def reap(process: "subprocess.Popen[bytes]") -> None:
    """Let a thread collect the exit of our child whenever it comes, so that no zombie keeps its number."""
    threading.Thread(target=process.wait, name=f"reap-{process.pid}", daemon=True).start()


def disarm(home: Home) -> None:
    """Make a dead server's postmaster.pid harmless when its number has gone to another program.

    The file stays if it can be read: what it says of shared memory still keeps two servers apart.
    """
    path = home.cluster / "postmaster.pid"
    where = address(home)
    if processes.postmasters(home.cluster):
        return
    if where is None:
        path.unlink(missing_ok=True)
    elif _is_running(where.pid):
        with os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW), "r+") as file:
            rest = file.read().split("\n", 1)[1]
            file.seek(0)
            file.write(f"{_DEAD_PID}\n{rest}")
            file.truncate()


def free_port() -> int:
    """A port of the loopback that nobody listens on."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    return port


def remembered_port(home: Home) -> int:
    """The port of the last start while it is free, else another one."""
    try:
        port = int(home.port.read_text())
    except (FileNotFoundError, ValueError):
        return free_port()
    return port if _is_free(port) else free_port()


def _is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def shut_down(home: Home, *, timeout: float) -> None:
    """Fast shutdown: open transactions are rolled back, everything is written. After `timeout` seconds, an
    immediate one, which the next start recovers from. Raises Unavailable when it lives even then."""
    for number, patience in ((signal.SIGINT, timeout), (signal.SIGQUIT, 10.0)):
        found = processes.postmasters(home.cluster)
        _signal(found, number)
        if found and _ended(home, patience):
            return
    clear_leftovers(home)


def clear_leftovers(home: Home) -> None:
    """End the children of a postmaster that was killed: they would write beside the next one's."""
    for number, patience in ((signal.SIGQUIT, 3.0), (signal.SIGKILL, 5.0)):
        _signal(processes.leftovers(home.cluster, home.name), number)
        if _ended(home, patience):
            return
    raise Unavailable(
        f"Processes of an older server still use {home.cluster}: wait for them to end, or end them."
    )


def _options(home: Home, port: int, settings: Mapping[str, str]) -> list[str]:
    ours = {
        "listen_addresses": HOST,
        "port": str(port),
        "unix_socket_directories": "",
        "cluster_name": home.name,
        "logging_collector": "off",
        "log_destination": "stderr",
        "log_line_prefix": "%m [%p] %q%u@%d ",
        "lc_messages": "C",
    }
    return [part for name, value in {**ours, **settings}.items() for part in ("-c", f"{name}={value}")]


def _ended(home: Home, patience: float) -> bool:
    deadline = time.monotonic() + patience
    while alive(home):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _signal(found: list[processes.Process], number: signal.Signals) -> None:
    for process in found:
        with suppress(ProcessLookupError):
            os.kill(process.pid, number)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
