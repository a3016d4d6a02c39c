"""Websocket connections to a server, always being read: a client that stops reading stalls all others."""

import asyncio
import ssl
import time
from contextlib import suppress
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
    """What a connection hears of one prompt (port ComfyEvents)."""

    def __init__(self, client_id: str, prompt_id: str) -> None:
        self.client_id = client_id
        self.prompt_id = prompt_id
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

    def put(self, event: ComfyEvent) -> None:
        """Take a message in; never waits."""
        self._buffer.put(event)

    def gone(self) -> None:
        """Note that nothing more will come."""
        if self._alive:
            self._alive = False
            self._buffer.end()


class Connection:
    """One websocket, and the streams of the prompts that were sent with its client id."""

    def __init__(self, client_id: str, socket: ClientConnection) -> None:
        self.client_id = client_id
        self.heard_at = time.monotonic()
        self._socket = socket
        self._streams: set[EventStream] = set()
        self._reader = asyncio.create_task(self._read(), name=f"comfyui events {client_id}")

    @property
    def alive(self) -> bool:
        return not self._reader.done()

    @property
    def unused(self) -> bool:
        return not self._streams

    def join(self, prompt_id: str) -> EventStream:
        """A stream of that prompt's messages."""
        stream = EventStream(self.client_id, prompt_id)
        self._streams.add(stream)
        return stream

    def leave(self, stream: EventStream) -> None:
        self._streams.discard(stream)
        stream.gone()

    async def aclose(self) -> None:
        """Close the socket; its streams end."""
        self._reader.cancel()
        with suppress(asyncio.CancelledError):
            await self._reader
        self._end()  # a reader that was stopped before its first step couldn't say so
        await self._socket.close()

    async def _read(self) -> None:
        try:
            async for frame in self._socket:
                self.heard_at = time.monotonic()
                event = _event(frame)
                if event and event.prompt_id is not None:
                    for stream in self._streams:
                        if stream.prompt_id == event.prompt_id:
                            stream.put(event)
        except ConnectionClosed:
            pass
        finally:
            self._end()

    def _end(self) -> None:
        for stream in self._streams:
            stream.gone()


async def connected(
    address: Address, *, tls: ssl.SSLContext, connect_seconds: float, client_id: str
) -> Connection:
    """Connect under a client id: two sockets on one id leave the newer one deaf. Raises ComfyUnreachable."""
    return Connection(client_id, await _connected(address, client_id, tls, connect_seconds))


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
