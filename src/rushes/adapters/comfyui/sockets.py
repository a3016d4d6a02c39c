"""Which prompts share which websocket: a handshake for each would cost more than all its messages."""

import asyncio
import ssl
import time
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rushes.adapters.comfyui.address import Address
from rushes.adapters.comfyui.events import Connection, EventStream, connected

QUIET_SECONDS = 300.0  # a socket can go deaf without closing


class Sockets:
    """The connections to one server, by client id; each is open while somebody listens."""

    def __init__(self, address: Address, *, tls: ssl.SSLContext, connect_seconds: float) -> None:
        self._address = address
        self._tls = tls
        self._connect_seconds = connect_seconds
        self._open: dict[str, Connection] = {}
        self._latest: str | None = None  # the client id for prompts that are still to be sent
        self._connecting = asyncio.Lock()

    @asynccontextmanager
    async def of(self, prompt_id: str, client_id: str | None) -> AsyncIterator[EventStream]:
        """Hear of a prompt, by default of one to be sent with the stream's client id. Raises ComfyUnreachable."""
        connection = await self._at(client_id)
        stream = connection.join(prompt_id)
        try:
            yield stream
        finally:
            connection.leave(stream)
            if connection.unused:
                await self._drop(connection)

    async def _at(self, client_id: str | None) -> Connection:
        async with self._connecting:
            wanted = client_id or self._latest or _fresh()
            connection = self._open.get(wanted)
            if connection and connection.alive and time.monotonic() - connection.heard_at < QUIET_SECONDS:
                return connection
            if connection:
                await self._drop(connection)
            return await self._connect(client_id or _fresh(), is_latest=client_id is None)

    async def _connect(self, client_id: str, *, is_latest: bool) -> Connection:
        connection = await connected(
            self._address, tls=self._tls, connect_seconds=self._connect_seconds, client_id=client_id
        )
        self._open[client_id] = connection
        if is_latest:
            self._latest = client_id
        return connection

    async def _drop(self, connection: Connection) -> None:
        if self._open.get(connection.client_id) is connection:
            del self._open[connection.client_id]
            if self._latest == connection.client_id:
                self._latest = None  # who comes next takes another: the server may still be closing this one
        await connection.aclose()


def _fresh() -> str:
    return uuid.uuid4().hex
