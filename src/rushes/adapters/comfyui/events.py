"""One websocket connection to a server, always being read: a client that stops reading stalls all others."""

import asyncio
import ssl
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, InvalidURI

from rushes.adapters.comfyui.address import Address
from rushes.adapters.comfyui.buffer import EventBuffer
from rushes.adapters.comfyui.messages import parse_json
from rushes.adapters.comfyui.unreachable import in_words, strange_status
from rushes.domain.comfy import ComfyUnreachable
from rushes.ports import ComfyEvent

PING_SECONDS, PONG_SECONDS = 20.0, 60.0


class _ConnectHere(connect):
    """A connect that contacts the given URL only."""

    def process_redirect(self, exc: Exception) -> Exception | str:
        return exc


class EventStream:
    """The messages of one connection (port ComfyEvents)."""

    def __init__(self, client_id: str, socket: ClientConnection) -> None:
        self.client_id = client_id
        self._socket = socket
        self._buffer = EventBuffer()
        self._alive = True

    @property
    def alive(self) -> bool:
        """False once the socket is gone; what came before can still be taken."""
        return self._alive

    def at_hand(self) -> ComfyEvent | None:
        """The next message, if it has come already."""
        return self._buffer.at_hand()

    async def next(self, timeout: float) -> ComfyEvent | None:
        """The next message; None after `timeout` seconds, or once when the socket is gone."""
        return await self._buffer.take(timeout)

    async def read(self) -> None:
        """Read until the socket is gone."""
        try:
            async for frame in self._socket:
                event = _event(frame)
                if event:
                    self._buffer.put(event)
        except ConnectionClosed:
            pass
        finally:
            self.gone()

    def gone(self) -> None:
        """Note that nothing more will come."""
        if self._alive:
            self._alive = False
            self._buffer.end()


@asynccontextmanager
async def listen(
    address: Address, *, tls: ssl.SSLContext, connect_seconds: float, client_id: str | None = None
) -> AsyncIterator[EventStream]:
    """Connect, by default under a fresh client id: two sockets on one id leave the newer one deaf.

    Raises ComfyUnreachable.
    """
    client_id = client_id or uuid.uuid4().hex
    socket = await _connected(address, client_id, tls, connect_seconds)
    stream = EventStream(client_id, socket)
    reader = asyncio.create_task(stream.read(), name=f"comfyui events {address.url}")
    try:
        yield stream
    finally:
        reader.cancel()
        with suppress(asyncio.CancelledError):
            await reader
        stream.gone()  # a reader that was stopped before its first step couldn't say so
        await socket.close()


async def _connected(
    address: Address, client_id: str, tls: ssl.SSLContext, connect_seconds: float
) -> ClientConnection:
    try:
        return await _ConnectHere(
            f"{address.websocket}?clientId={client_id}",
            ssl=tls if address.websocket.startswith("wss:") else None,
            additional_headers=dict(address.headers),
            user_agent_header="rushes",
            proxy=None,
            compression=None,
            max_size=None,
            open_timeout=connect_seconds,
            close_timeout=1.0,
            ping_interval=PING_SECONDS,
            ping_timeout=PONG_SECONDS,
        )
    except InvalidStatus as error:
        raise ComfyUnreachable(_refused(address.url, error)) from error
    except TimeoutError as error:
        raise ComfyUnreachable(f"{address.url} didn't open a websocket in {connect_seconds:g} s.") from error
    except (InvalidHandshake, InvalidURI, EOFError) as error:
        raise ComfyUnreachable(f"{address.url} opens no websocket. Is another program there?") from error
    except OSError as error:
        raise ComfyUnreachable(in_words(address.url, error)) from error


def _refused(url: str, error: InvalidStatus) -> str:
    status = error.response.status_code
    said = strange_status(url, "/ws", status, error.response.headers.get("Location"))
    return said or f"{url} opens no websocket ({status}). Does a proxy in front of it let websockets through?"


def _event(frame: str | bytes) -> ComfyEvent | None:
    """A text frame's event; binary frames are previews, which nobody looks at yet."""
    if isinstance(frame, bytes):
        return None
    try:
        message = parse_json(frame)
    except ValueError:
        return None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return None
    data: dict[str, Any] = message["data"] if isinstance(message.get("data"), dict) else {}
    prompt_id = data.get("prompt_id")
    return ComfyEvent(
        type=message["type"], prompt_id=prompt_id if isinstance(prompt_id, str) else None, data=data
    )
