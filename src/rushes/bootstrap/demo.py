"""The demo server as a process of its own: it encodes videos, which would hold up the API."""

import asyncio
import ctypes
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from rushes.domain.errors import Unavailable

log = structlog.get_logger("rushes.demo")

START_SECONDS = 30.0
_PARENT_DEATH_SIGNAL = 1  # prctl's PR_SET_PDEATHSIG


@asynccontextmanager
async def demo_server(folder: Path) -> AsyncIterator[str]:
    """Its URL; the same at every start where its port is free, so that jobs find it again."""
    port = await asyncio.to_thread(_port, folder)
    url = f"http://127.0.0.1:{port}"
    keeper = asyncio.create_task(_keep(folder, port), name="demo server")
    try:
        await _listens(port)
        yield url
    finally:
        keeper.cancel()
        await asyncio.gather(keeper, return_exceptions=True)


async def _keep(folder: Path, port: int) -> None:
    """Run it, and run it again if it dies."""
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


def _port(folder: Path) -> int:
    """The port of last time where it is free, else a new one."""
    folder.mkdir(parents=True, exist_ok=True)
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
