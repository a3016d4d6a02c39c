"""A keep-alive pool of connections, and why an answer didn't come."""

import ssl
from collections.abc import AsyncIterable, AsyncIterator, Mapping
from contextlib import asynccontextmanager
from enum import Enum, auto

import httpx2

Body = bytes | AsyncIterable[bytes]
Response = httpx2.Response


class Reason(Enum):
    """What went wrong on the way."""

    CONNECT_TIMEOUT = auto()
    CONNECT = auto()
    POOL = auto()
    STALLED = auto()
    CUT = auto()
    STRANGE = auto()
    NETWORK = auto()
    ADDRESS = auto()
    OTHER = auto()


class NoAnswer(Exception):
    """No answer, or not the whole of it. What the library raised is its cause."""

    def __init__(self, reason: Reason, said: str) -> None:
        super().__init__(said)
        self.reason = reason


class HttpClient:
    """Follows no redirects, asks no environment for proxies, and has a limit on silence instead of on length."""

    def __init__(
        self,
        *,
        headers: Mapping[str, str],
        tls: ssl.SSLContext,
        connect_seconds: float,
        stall_seconds: float,
        connections: int = 64,
        idle_connections: int = 8,
    ) -> None:
        self._client = httpx2.AsyncClient(
            headers={"User-Agent": "rushes", **headers},
            verify=tls,
            trust_env=False,
            follow_redirects=False,
            timeout=httpx2.Timeout(stall_seconds, connect=connect_seconds),
            limits=httpx2.Limits(
                max_connections=connections, max_keepalive_connections=idle_connections, keepalive_expiry=15
            ),
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    @asynccontextmanager
    async def open(
        self, method: str, url: str, *, body: Body | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[Response]:
        """Send a request and leave its answer to be read. Raises NoAnswer, also out of the block."""
        try:
            async with self._client.stream(method, url, content=body, headers=headers) as response:
                yield response
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise NoAnswer(_reason(error), str(error).rstrip(". ") or type(error).__name__) from error


def default_tls() -> ssl.SSLContext:
    """Trusts what the system trusts, whatever the environment says."""
    return httpx2.create_ssl_context(trust_env=False)


def _reason(error: Exception) -> Reason:
    match error:
        case httpx2.ConnectTimeout():
            return Reason.CONNECT_TIMEOUT
        case httpx2.ConnectError():
            return Reason.CONNECT
        case httpx2.PoolTimeout():
            return Reason.POOL
        case httpx2.TimeoutException():
            return Reason.STALLED
        case httpx2.RemoteProtocolError() if "disconnected" in str(error) or "closed" in str(error):
            return Reason.CUT
        case httpx2.RemoteProtocolError():
            return Reason.STRANGE
        case httpx2.NetworkError():
            return Reason.NETWORK
        case httpx2.InvalidURL():
            return Reason.ADDRESS
    return Reason.OTHER
