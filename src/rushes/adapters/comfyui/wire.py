"""One server's HTTP connections. Whatever is no answer of a ComfyUI becomes ComfyUnreachable, in words."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rushes.adapters.comfyui.address import Address
from rushes.adapters.comfyui.messages import parse_json
from rushes.adapters.comfyui.unreachable import MEANT, in_words, strange_status
from rushes.adapters.http import Body, HttpClient, NoAnswer, Response
from rushes.domain.comfy import ComfyUnreachable

CONNECT_SECONDS, STALL_SECONDS = 3.0, 30.0
ANSWER_SECONDS = 120.0  # for a whole JSON answer; files have only the stall limit
ANSWER_BYTES = 256 * 1024 * 1024

JSON_BODY = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer to a small request."""

    url: str
    status: int
    body: bytes

    def ok(self, path: str) -> "Answer":
        """Itself, if it is a 200. Raises ComfyUnreachable."""
        if self.status != 200:
            raise ComfyUnreachable(
                f"{self.url} answered {self.status} to {path}, as no ComfyUI does. Is another program there?"
            )
        return self

    def json(self) -> Any:
        """The cleaned JSON. Raises ComfyUnreachable: what doesn't speak JSON is no ComfyUI."""
        try:
            return parse_json(self.body)
        except ValueError as error:
            raise ComfyUnreachable(
                f"{self.url} answered, but not with the JSON of a ComfyUI ({error}). Is another program there?"
            ) from error

    def mapping(self) -> dict[str, Any]:
        """The cleaned JSON object. Raises ComfyUnreachable."""
        tree = self.json()
        if not isinstance(tree, dict):
            raise ComfyUnreachable(
                f"{self.url} answered, but not as a ComfyUI does. Is another program there?"
            )
        return tree


class Wire:
    """A keep-alive pool to one server; contacts its URL and no other."""

    def __init__(
        self, address: Address, *, tls: ssl.SSLContext, connect_seconds: float, stall_seconds: float
    ) -> None:
        self.address = address
        self.stall_seconds = stall_seconds
        self._client = HttpClient(
            headers=address.headers, tls=tls, connect_seconds=connect_seconds, stall_seconds=stall_seconds
        )

    async def aclose(self) -> None:
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        meant: frozenset[int] = MEANT,
        limit_seconds: float | None = ANSWER_SECONDS,
    ) -> Answer:
        """Send a request and read the answer whole. Raises ComfyUnreachable; `meant` statuses come back."""
        opened = self.open(method, path, body=body, headers=headers, meant=meant)
        try:
            async with asyncio.timeout(limit_seconds), opened as response:
                return await self._read(response)
        except TimeoutError:
            raise ComfyUnreachable(
                f"{self.address.url} took over {limit_seconds:g} s to answer {path}."
            ) from None

    async def get(self, path: str) -> dict[str, Any]:
        """A JSON object that every ComfyUI has at that path. Raises ComfyUnreachable."""
        return (await self._expect("GET", path)).mapping()

    async def post(self, path: str, payload: Mapping[str, Any]) -> None:
        """Send a command that every ComfyUI takes. Raises ComfyUnreachable."""
        await self._expect("POST", path, body=json.dumps(payload).encode(), headers=JSON_BODY)

    async def _expect(self, method: str, path: str, **request: Any) -> Answer:
        return (await self.ask(method, path, **request)).ok(path)

    @asynccontextmanager
    async def open(
        self,
        method: str,
        path: str,
        *,
        body: Body | None = None,
        headers: Mapping[str, str] | None = None,
        meant: frozenset[int] = MEANT,
    ) -> AsyncIterator[Response]:
        """Send a request and leave its answer to be read."""
        url = self.address.url
        try:
            async with self._client.open(method, url + path, body=body, headers=headers) as response:
                location = response.headers.get("location")
                problem = strange_status(url, path, response.status_code, location, meant)
                if problem is None and response.headers.get("content-type", "").startswith("text/html"):
                    problem = (
                        f"{url} answered with a web page, not as a ComfyUI does. Is it a proxy's login page?"
                    )
                if problem:
                    raise ComfyUnreachable(problem)
                yield response
        except NoAnswer as error:
            raise ComfyUnreachable(in_words(url, error)) from error

    async def _read(self, response: Response) -> Answer:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > ANSWER_BYTES:
                raise ComfyUnreachable(
                    f"{self.address.url} sent an answer without end. Is another program there?"
                )
        return Answer(self.address.url, response.status_code, bytes(body))
