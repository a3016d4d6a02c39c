"""Around every request: an id, a log line, its measures, a bound on its body, and safe headers."""

import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rushes.ports import Metrics
from rushes.web.errors import error_answer

log = structlog.get_logger("rushes.request")

JSON_LIMIT = 2 * 1024**2
BROKE = "Rushes failed here; its log says where. Try again."
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class Surroundings:
    """Plain ASGI, so that streams stay streams."""

    def __init__(self, app: ASGIApp, *, form_limit: int, metrics: Metrics | None) -> None:
        self._app = app
        self._metrics = metrics
        self._form_limit = form_limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        request_id = headers.get("x-request-id", "")
        if not _REQUEST_ID.fullmatch(request_id):
            request_id = uuid.uuid4().hex
        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._answer(scope, receive, send, headers, request_id)

    async def _answer(
        self, scope: Scope, receive: Receive, send: Send, headers: Headers, request_id: str
    ) -> None:
        began, status, started = time.perf_counter(), 500, False
        first_byte: float | None = None

        async def marked(message: Message) -> None:
            nonlocal status, started, first_byte
            if message["type"] == "http.response.start":
                status, started, first_byte = message["status"], True, time.perf_counter() - began
                out = MutableHeaders(scope=message)
                out["X-Request-Id"] = request_id
                out.setdefault("X-Content-Type-Options", "nosniff")
                out.setdefault("Referrer-Policy", "same-origin")
                if scope["path"].startswith("/api/"):
                    out.setdefault("Cache-Control", "no-store")
            await send(message)

        limit = self._limit(scope, headers)
        try:
            declared = headers.get("content-length", "0")[:20]
            if limit is not None and declared.isdecimal() and int(declared) > limit:
                await error_answer(413, "too_large", _too_large(limit))(scope, receive, marked)
                return
            await self._app(scope, _bounded(receive, limit), marked)
        except ClientDisconnect:
            log.info("client went away", path=scope["path"])
        except Exception:
            log.exception("request broke", path=scope["path"])
            if started:
                raise
            await error_answer(500, "internal_error", BROKE)(scope, receive, marked)
        finally:
            seconds = time.perf_counter() - began
            self._measure(scope, status, seconds if first_byte is None else first_byte)
            _tell(scope, status, seconds)

    def _measure(self, scope: Scope, status: int, seconds: float) -> None:
        if self._metrics is not None:
            self._metrics.answered(
                method=scope["method"], route=_route(scope), status=status, seconds=seconds
            )

    def _limit(self, scope: Scope, headers: Headers) -> int | None:
        if scope["method"] == "PUT" and scope["path"].startswith("/api/uploads/"):
            return None  # bounded by what was announced
        if headers.get("content-type", "").lower().startswith("multipart/form-data"):
            return self._form_limit
        return JSON_LIMIT


def _too_large(limit: int) -> str:
    return f"The body is larger than {limit} bytes. Send files by POST /api/uploads, not inside of JSON."


def _bounded(receive: Receive, limit: int | None) -> Receive:
    if limit is None:
        return receive
    came = 0

    async def counted() -> Message:
        nonlocal came
        message = await receive()
        came += len(message.get("body", b""))
        if came > limit:
            # an HTTPException is the one kind that FastAPI's body parser lets through
            raise HTTPException(413, _too_large(limit))
        return message

    return counted


def _tell(scope: Scope, status: int, seconds: float) -> None:
    quiet = status < 500 and scope["path"] in ("/healthz", "/readyz", "/metrics")
    say = log.debug if quiet else log.info
    user_id = scope.get("state", {}).get("user_id")
    more = {"user_id": str(user_id)} if user_id else {}
    say(
        "request",
        method=scope["method"],
        path=scope["path"],
        status=status,
        ms=round(seconds * 1000, 1),
        **more,
    )


def _route(scope: Scope) -> str:
    """The template, never the path: there are few of them."""
    return str(getattr(scope.get("route"), "path", "unmatched"))
