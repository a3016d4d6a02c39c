"""An instance on a socket, by uvicorn's protocols: starts and ends at once, and can cut any connection."""

import asyncio
import contextlib
import socket
from collections.abc import Callable

import uvicorn
from starlette.types import Scope
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from rushes.testing.comfyui.app import create_app
from rushes.testing.comfyui.instance import Instance

_LARGEST_CLIENT_FRAME = 4 * 1024 * 1024
_WATCH_SECONDS = 0.02


class Serving:
    """One instance's HTTP and websocket life within a running event loop."""

    def __init__(self, instance: Instance, listener: socket.socket) -> None:
        self._instance = instance
        self._listener = listener
        self._state = ServerState()
        self._config = uvicorn.Config(
            create_app(instance, self._cut),
            lifespan="off",
            http="h11",
            ws="websockets-sansio",
            ws_max_size=_LARGEST_CLIENT_FRAME,
            ws_ping_interval=None,
            ws_per_message_deflate=False,
            timeout_keep_alive=75,
            log_config=None,
            access_log=False,
        )
        self._config.load()

    async def run(self, stop: asyncio.Event, on_ready: Callable[[], None] = lambda: None) -> bool:
        """Serve until told to stop; False when the instance died of a fault before."""
        loop = asyncio.get_running_loop()
        publisher = asyncio.create_task(self._instance.hub.publish())
        await asyncio.sleep(0)  # the hub learns its loop before the first prompt arrives
        self._instance.start()
        server = await loop.create_server(
            lambda: H11Protocol(self._config, self._state, {}), sock=self._listener
        )
        on_ready()
        try:
            return await self._watch(stop)
        finally:
            server.close()
            self._abort_all()
            publisher.cancel()
            await self._end_tasks(publisher)

    async def _watch(self, stop: asyncio.Event) -> bool:
        while not self._instance.died.is_set():
            if self._instance.faults.take("close_websocket") is not None:
                self._abort_websockets()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _WATCH_SECONDS)
                return True
        return False

    def _abort_all(self) -> None:
        for connection in list(self._state.connections):
            if connection.transport is not None:
                connection.transport.abort()

    def _abort_websockets(self) -> None:
        for connection in list(self._state.connections):
            if not isinstance(connection, H11Protocol):
                connection.transport.abort()

    async def _cut(self, scope: Scope) -> None:
        client = tuple(scope.get("client") or ())
        for connection in list(self._state.connections):
            if tuple(getattr(connection, "client", None) or ()) == client:
                connection.transport.abort()
        await asyncio.sleep(0.001)  # the protocol hears of the end before its application returns

    async def _end_tasks(self, publisher: "asyncio.Task[None]") -> None:
        tasks = {*self._state.tasks, publisher}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
