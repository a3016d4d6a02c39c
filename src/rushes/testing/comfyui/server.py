"""The demo server to start and stop: in a thread of a test, or as a process."""

import asyncio
import os
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from types import TracebackType

from rushes.testing.comfyui.faults import Faults
from rushes.testing.comfyui.instance import Instance, Setup
from rushes.testing.comfyui.serving import Serving


class DemoServer:
    """A ComfyUI look-alike in a thread, on loopback; `with DemoServer() as server: server.url`.

    Without a base directory it makes one and removes it at the end. `faults` is in force at once and survives restarts.
    """

    def __init__(
        self,
        base_directory: Path | None = None,
        *,
        version: str = "0.33.0",
        extra_nodes: bool = False,
        faults_route: bool = False,
        max_upload_size: int = 104_857_600,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._owned = None if base_directory is not None else Path(tempfile.mkdtemp(prefix="rushes-demo-"))
        self._setup = Setup(
            base_directory=base_directory or self._owned or Path(),
            version=version,
            extra_nodes=extra_nodes,
            max_upload_size=max_upload_size,
            faults_route=faults_route,
        )
        self.faults = Faults()
        self.host = host
        self.port = port
        self._instance: Instance | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None

    @property
    def url(self) -> str:
        """http://host:port, the same over restarts."""
        return f"http://{self.host}:{self.port}"

    @property
    def base_directory(self) -> Path:
        """Where input/, output/ and temp/ are."""
        return self._setup.base_directory

    @property
    def is_running(self) -> bool:
        """False before start, after stop, and after dying of a fault."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> "DemoServer":
        """Listen and work; with queue, history and temp/ empty. Raises OSError when the port is taken."""
        if self.is_running:
            raise RuntimeError("this demo server runs already: stop it first")
        listener = listen(self.host, self.port)
        self.port = listener.getsockname()[1]
        self._instance = Instance(self._setup, self.faults)
        started = threading.Event()
        arguments = (self._instance, listener, started)
        self._thread = threading.Thread(target=self._serve, args=arguments, name="comfyui-demo", daemon=True)
        self._thread.start()
        started.wait()
        return self

    def stop(self) -> None:
        """End at once, as if killed: connections are cut, queue and history lost, files kept."""
        if self._loop is not None and self._stop is not None and self.is_running:
            self._loop.call_soon_threadsafe(self._stop.set)
        if self._thread is not None:
            self._thread.join()
        self._thread = None

    def restart(self) -> None:
        """Stop and start on the same port and folders."""
        self.stop()
        self.start()

    def __enter__(self) -> "DemoServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
        if self._owned is not None:
            shutil.rmtree(self._owned, ignore_errors=True)

    def _serve(self, instance: Instance, listener: socket.socket, started: threading.Event) -> None:
        try:
            asyncio.run(self._run(instance, listener, started))
        finally:
            instance.stop()
            started.set()

    async def _run(self, instance: Instance, listener: socket.socket, started: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        serving = Serving(instance, listener)
        await serving.run(self._stop, started.set)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one."""
    # Named as TCP, or asyncio leaves Nagle's algorithm on and every answer is 40 ms late.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    listener.listen(512)
    os.set_inheritable(listener.fileno(), False)
    return listener
