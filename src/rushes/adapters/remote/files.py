"""Files of other servers, streamed."""

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Self

from rushes.adapters.http import HttpClient, NoAnswer, Response, default_tls
from rushes.ports.legacy import NoFile


class HttpAnswer:
    """The port RemoteAnswer."""

    def __init__(self, response: Response) -> None:
        self._response = response

    @property
    def status(self) -> int:
        return int(self._response.status_code)

    @property
    def location(self) -> str | None:
        found: str | None = self._response.headers.get("location")
        return found

    async def blocks(self) -> AsyncGenerator[bytes, None]:
        async with aclosing(self._response.aiter_bytes()) as blocks:
            async for block in blocks:
                yield block


class HttpFiles:
    """The port RemoteFiles."""

    def __init__(self) -> None:
        self._client = HttpClient(headers={}, tls=default_tls(), connect_seconds=5, stall_seconds=60)

    @asynccontextmanager
    async def get(self, url: str, headers: Mapping[str, str]) -> AsyncIterator[HttpAnswer]:
        try:
            async with self._client.open(
                "GET", url, headers={**headers, "Accept-Encoding": "identity"}
            ) as response:
                yield HttpAnswer(response)
        except NoAnswer as error:
            raise NoFile(f"the server broke off or doesn't answer ({error})") from error

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()
