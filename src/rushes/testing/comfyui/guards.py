"""What stands before the routes: the size limit, the origin check, and the faults a test asked for."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rushes.testing.comfyui.answers import empty, text
from rushes.testing.comfyui.faults import Fault, Faults

Cut = Callable[[Scope], Awaitable[None]]

_LOOPBACK = ("127.0.0.1", "localhost", "::1")


class BodyLimit:
    """413 for a body that announces more than the limit (bytes)."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = Headers(scope=scope).get("content-length", "0") if scope["type"] == "http" else "0"
        if length.isdigit() and int(length) > self._limit:
            await _drain(receive)
            refusal = text(f"Maximum request body size {self._limit} exceeded.", 413)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send)


async def _drain(receive: Receive) -> None:
    while (await receive()).get("more_body"):
        pass


class OriginCheck:
    """403 for a browser page of another origin on a loopback host, over HTTP and websocket."""

    def __init__(self, app: ASGIApp, refuses_cross_site: bool) -> None:
        self._app = app
        self._refuses_cross_site = refuses_cross_site

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and self._is_foreign(Headers(scope=scope)):
            await _refuse(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, headers: Headers) -> bool:
        if self._refuses_cross_site and headers.get("sec-fetch-site") == "cross-site":
            return True
        host, origin = headers.get("host"), headers.get("origin")
        if not host or not origin:
            return False
        own = urlsplit(f"//{host}")
        other = urlsplit(origin)
        return own.hostname in _LOOPBACK and (own.hostname, own.port) != (other.hostname, other.port)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.close", "code": 1008})
    else:
        await empty(403)(scope, receive, send)


class Misbehaviour:
    """Applies the HTTP faults in force; `cut` ends the connection of a scope at once."""

    def __init__(self, app: ASGIApp, faults: Faults, cut: Cut) -> None:
        self._app = app
        self._faults = faults
        self._cut = cut

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] == "/_demo/faults":
            await self._app(scope, receive, send)
            return
        where = {"path": scope["path"], "method": scope["method"]}
        late = self._faults.take("delay", **where)
        if late is not None:
            await asyncio.sleep(late.seconds)
        instead = self._faults.take("drop", "status", "html", **where)
        if instead is not None:
            await self._answer_instead(instead, scope, receive, send)
            return
        twisted = self._faults.take("lose_answer", "slow_body", "truncate", "lie_length", **where)
        await self._app(
            scope, receive, send if twisted is None else _Twisted(twisted, partial(self._cut, scope), send)
        )

    async def _answer_instead(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        await _drain(receive)
        if fault.kind == "drop":
            await self._cut(scope)
            return
        page = "<!doctype html><html><title>Bad gateway</title><h1>502 Bad Gateway</h1></html>"
        html = fault.kind == "html"
        answer = Response(
            page if html else fault.body,
            status_code=200 if html and fault.status == 500 else fault.status,
            media_type="text/html" if html else "text/plain",
        )
        await answer(scope, receive, send)


class _Twisted:
    """A `send` that does not send what it is given."""

    def __init__(self, fault: Fault, cut: Callable[[], Awaitable[None]], send: Send) -> None:
        self._fault = fault
        self._cut = cut
        self._send = send
        self._sent = 0

    async def __call__(self, message: Message) -> None:
        if self._fault.kind == "lose_answer":
            await self._cut()
        elif message["type"] == "http.response.start":
            await self._send(self._head(message))
        else:
            await self._body(message)

    def _head(self, message: Message) -> Message:
        if self._fault.kind != "lie_length":
            return message
        headers = [
            (name, str(int(value) + self._fault.bytes).encode() if name == b"content-length" else value)
            for name, value in message["headers"]
        ]
        return {**message, "headers": headers}

    async def _body(self, message: Message) -> None:
        body = message.get("body", b"")
        if self._fault.kind == "slow_body":
            await self._drip(body)
            await self._send({**message, "body": b""})
            return
        ends = self._fault.kind == "lie_length" and not message.get("more_body")
        if self._fault.kind == "truncate":
            body = body[: max(0, self._fault.bytes - self._sent)]
            ends = self._sent + len(body) >= self._fault.bytes
        self._sent += len(body)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})
        if ends:
            await asyncio.sleep(0.05)  # let what was sent leave before the connection ends
            await self._cut()

    async def _drip(self, body: bytes) -> None:
        step = max(1, self._fault.bytes_per_second // 20)
        for at in range(0, len(body), step):
            part = body[at : at + step]
            await self._send({"type": "http.response.body", "body": part, "more_body": True})
            await asyncio.sleep(len(part) / self._fault.bytes_per_second)
