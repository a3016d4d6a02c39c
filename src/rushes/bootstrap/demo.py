"""The demo server as a process of its own: it encodes videos, which would hold up the API."""

import asyncio
import ctypes
import fcntl
import signal
import socket
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO

import structlog

from rushes.domain.errors import Unavailable
from rushes.services.ending import ended

log = structlog.get_logger("rushes.demo")

START_SECONDS = 30.0
TAKE_OVER_SECONDS = 0.5
_PARENT_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


@asynccontextmanager
async def demo_server(folder: Path) -> AsyncIterator[str]:
    """Its URL; the same at every start where its port is free, so that jobs find it again.

    Commands on one data directory share it: one runs it, and another takes that over when the first has ended.
    """
    with _lock_file(folder) as lock:
        port = await asyncio.to_thread(_port if _is_ours(lock) else _port_of_another, folder)
        keeper = asyncio.create_task(_keep(folder, port, lock), name="demo server")
        try:
            await _listens(port)
            yield f"http://127.0.0.1:{port}"
        finally:
            await ended(keeper)


async def _keep(folder: Path, port: int, lock: IO[str]) -> None:
    """Run it when nobody else does, and run it again if it dies."""
    while not _is_ours(lock):  # noqa: ASYNC110  # the lock of another process has no event
        await asyncio.sleep(TAKE_OVER_SECONDS)
    while True:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "rushes.testing.comfyui",
            "--port", str(port), "--base-directory", str(folder / "comfyui"), "--extra-nodes",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            preexec_fn=_die_with_parent, start_new_session=True,
        )  # fmt: skip
        try:
            code = await process.wait()
        finally:
            if process.returncode is None:
                process.terminate()
                await process.wait()
        log.warning("demo server ended, starting it again", code=code)
        await asyncio.sleep(1)


def _die_with_parent() -> None:
    """Linux: a kill -9 of Rushes must not leave it behind."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PARENT_DEATH_SIGNAL, signal.SIGTERM)


def _lock_file(folder: Path) -> IO[str]:
    folder.mkdir(parents=True, exist_ok=True)
    return (folder / "lock").open("a")


def _is_ours(lock: IO[str]) -> bool:
    """Whether this process is the one that runs it; asking again is harmless."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _port_of_another(folder: Path) -> int:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        try:
            return int((folder / "port").read_text())
        except (FileNotFoundError, ValueError):
            time.sleep(0.05)  # it is starting just now
    raise Unavailable(
        f"Another command holds {folder / 'lock'} and starts no demo server: stop it, and start again."
    )


def _port(folder: Path) -> int:
    """The port of last time where it is free, else a new one."""
    remembered = folder / "port"
    wanted = int(remembered.read_text()) if remembered.is_file() else 0
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
        except OSError:
            probe.close()
            remembered.unlink(missing_ok=True)
            return _port(folder)
        port: int = probe.getsockname()[1]
    remembered.write_text(str(port))
    return port


async def _listens(port: int) -> None:
    loop = asyncio.get_running_loop()
    until = loop.time() + START_SECONDS
    while loop.time() < until:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
            continue
        writer.close()
        await writer.wait_closed()
        return
    raise Unavailable(
        "The demo server didn't start; run `python -m rushes.testing.comfyui --help` to see why."
    )
