"""On a loopback address only requests under names of this machine are answered.

A page of another site can make its own name point to 127.0.0.1 (DNS rebinding); for the browser it is then of the same
origin as the API, and only the header Host gives it away.
"""

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rushes.web.errors import error_answer

_OURS = frozenset({"localhost", "127.0.0.1", "[::1]"})


class KnownHosts:
    """Plain ASGI. Requests with credentials of their own are no browser's, and pass under any name."""

    def __init__(self, app: ASGIApp, *, names: Collection[str]) -> None:
        self._app = app
        self._names = _OURS | {name.lower() for name in names}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_known(Headers(scope=scope)):
            await self._app(scope, receive, send)
            return
        message = (
            "This address is not known here. If people use it, set RUSHES_PUBLIC_URL to it and start again."
        )
        await error_answer(421, "unknown_host", message)(scope, receive, send)

    def _is_known(self, headers: Headers) -> bool:
        if "authorization" in headers or "x-api-key" in headers:
            return True
        name = host_name(headers.get("host", ""))
        return name in self._names or name.endswith(".localhost")


def host_name(header: str) -> str:
    """The name of a Host header, without its port."""
    name, colon, port = header.strip().lower().rpartition(":")
    return (name if colon and port.isdecimal() else header.strip().lower()).rstrip(".")


def name_of(url: str) -> str:
    """The name that requests to a URL carry."""
    return host_name(urlsplit(url).netloc.rpartition("@")[2])
