"""The websocket side: who is connected, and what is sent to whom, one message after the other."""

import asyncio
import json
import struct
import uuid
from collections.abc import Callable
from io import BytesIO
from typing import Any

from PIL import Image
from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from rushes.testing.comfyui.faults import Faults
from rushes.testing.comfyui.generation import Generation

_PREVIEW, _TEXT, _PREVIEW_WITH_METADATA = 1, 3, 4
_IMAGE_TYPES = {"JPEG": 1, "PNG": 2}


class Hub:
    """All connections of one server. `send*` may be called from any thread; delivery is sequential, as in ComfyUI."""

    def __init__(self, generation: Generation, faults: Faults, remaining: Callable[[], int]) -> None:
        self._generation = generation
        self._faults = faults
        self._remaining = remaining
        self._sockets: dict[str, WebSocket] = {}
        self._flags: dict[str, dict[str, Any]] = {}
        self._outbox: asyncio.Queue[tuple[str | bytes, str | None]] = asyncio.Queue()
        self._loop: asyncio.AbstractEventLoop | None = None
        self.client_id: str | None = None
        self.last_node: str | None = None

    async def publish(self) -> None:
        """Deliver messages until cancelled. One client that stops reading holds up the rest, as in the real one."""
        self._loop = asyncio.get_running_loop()
        while True:
            message, client = await self._outbox.get()
            await self._faults.while_frozen("websocket")
            for name in [client] if client is not None else list(self._sockets):
                await self._deliver(message, name)

    def send(self, kind: str, data: dict[str, Any], client: str | None = None) -> None:
        """Queue one JSON event for a client, or for everybody."""
        self._queue(json.dumps({"type": kind, "data": data}), client)

    def send_status(self) -> None:
        """Tell everybody how many prompts are left."""
        self.send("status", {"status": self._status()})

    def send_text(self, text: str, node: str) -> None:
        """Binary event 3: a line of text under a node."""
        name = node.encode()
        self._queue(struct.pack(">II", _TEXT, len(name)) + name + text.encode(), self.client_id)

    def send_preview(self, image: Image.Image, kind: str) -> None:
        """Binary event 1: a preview for clients that did not ask for metadata."""
        head = struct.pack(">II", _PREVIEW, _IMAGE_TYPES[kind])
        self._queue(head + _encoded(image, kind), self.client_id)

    def send_preview_with_metadata(self, image: Image.Image, kind: str, about: dict[str, Any]) -> None:
        """Binary event 4: a preview and whose it is."""
        metadata = json.dumps(about | {"image_type": f"image/{kind.lower()}"}).encode()
        head = struct.pack(">II", _PREVIEW_WITH_METADATA, len(metadata))
        self._queue(head + metadata + _encoded(image, kind), self.client_id)

    def wants_metadata(self) -> bool:
        """Whether the running job's client negotiated previews with metadata."""
        return bool(self._flags.get(self.client_id or "", {}).get("supports_preview_metadata"))

    async def serve(self, socket: WebSocket) -> None:
        """One connection from accept to close; a later one with the same id takes over."""
        await socket.accept()
        name = socket.query_params.get("clientId", "") or uuid.uuid4().hex
        self._sockets[name] = socket
        self._flags[name] = {}
        try:
            await self._greet(name)
            await self._listen(socket, name)
        except (WebSocketDisconnect, RuntimeError):
            pass
        finally:
            # Even when a newer connection has taken the name: that one then stays open and deaf, as in the real one.
            self._sockets.pop(name, None)
            self._flags.pop(name, None)

    async def close_all(self, code: int = 1001) -> None:
        """End every connection properly."""
        for socket in list(self._sockets.values()):
            if socket.application_state is WebSocketState.CONNECTED:
                await socket.close(code)

    def _status(self) -> dict[str, Any]:
        return {"exec_info": {"queue_remaining": self._remaining()}}

    def _queue(self, message: str | bytes, client: str | None) -> None:
        if self._loop is None or self._loop.is_closed():
            return
        self._loop.call_soon_threadsafe(self._outbox.put_nowait, (message, client))

    async def _greet(self, name: str) -> None:
        await self._deliver(
            json.dumps({"type": "status", "data": {"status": self._status(), "sid": name}}), name
        )
        if self.client_id == name and self.last_node is not None:
            await self._deliver(json.dumps({"type": "executing", "data": {"node": self.last_node}}), name)

    async def _listen(self, socket: WebSocket, name: str) -> None:
        first = True
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            try:
                given = json.loads(message.get("text") or "")
                if first and given.get("type") == "feature_flags":
                    self._flags[name] = dict(given.get("data", {}))
                    features = json.dumps({"type": "feature_flags", "data": self._generation.features})
                    await self._deliver(features, name)
                first = False
            except (ValueError, AttributeError):
                continue

    async def _deliver(self, message: str | bytes, name: str) -> None:
        socket = self._sockets.get(name)
        if socket is None or socket.application_state is not WebSocketState.CONNECTED:
            return
        try:
            if isinstance(message, bytes):
                await socket.send_bytes(message)
            else:
                await socket.send_text(message)
        except (WebSocketDisconnect, RuntimeError, OSError):
            return


def _encoded(image: Image.Image, kind: str) -> bytes:
    packed = BytesIO()
    image.convert("RGB").save(packed, kind, **({"quality": 95} if kind == "JPEG" else {"compress_level": 1}))
    return packed.getvalue()
