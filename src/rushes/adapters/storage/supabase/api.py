"""Requests to the Storage API."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from rushes.adapters.http import HttpClient, NoAnswer, Response, default_tls
from rushes.adapters.storage.supabase.faults import Refusal, in_words, refusal
from rushes.adapters.storage.supabase.place import SupabasePlace

CONNECT_SECONDS, STALL_SECONDS = 5.0, 60.0
TRIES = 4
FIRST_PAUSE = 0.2
JSON_TYPE = {"Content-Type": "application/json"}


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """A whole answer that is none of the refusals."""

    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class StorageApi:
    """One project's storage. Raises Refusal and NoAnswer where it says so; `told` turns them into words."""

    def __init__(self, place: SupabasePlace, *, first_pause: float = FIRST_PAUSE) -> None:
        self.place = place
        self._first_pause = first_pause
        self._client = HttpClient(
            # a new secret key stands in apikey, a legacy one is a token; each ignores the other's place
            headers={
                "apikey": place.key,
                "Authorization": f"Bearer {place.key}",
                "Accept-Encoding": "identity",
            },
            tls=default_tls(),
            connect_seconds=CONNECT_SECONDS,
            stall_seconds=STALL_SECONDS,
            idle_connections=32,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        payload: Any = None,
        headers: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> ApiAnswer:
        """What may be repeated, until it is answered. Raises NotFound (of `key`), TooLarge, Unavailable …"""
        content = json.dumps(payload).encode() if payload is not None else body
        sent = {**(JSON_TYPE if payload is not None else {}), **(headers or {})}
        for tries_left in reversed(range(TRIES)):
            try:
                return await self.once(method, path, body=content, headers=sent)
            except (Refusal, NoAnswer) as error:
                if not tries_left or (isinstance(error, Refusal) and not error.may_pass):
                    raise in_words(self.place, error, key) from error
            await self.pause(tries_left)
        raise AssertionError("unreachable")

    async def once(
        self, method: str, path: str, *, body: bytes | None, headers: Mapping[str, str]
    ) -> ApiAnswer:
        """One try. Raises Refusal, NoAnswer."""
        async with self._client.open(method, self.place.url + path, body=body, headers=headers) as response:
            content = await response.aread()
            if response.status_code >= 300:
                raise refusal(response.status_code, content)
            return ApiAnswer(response.headers, content)

    @asynccontextmanager
    async def reading(
        self, path: str, *, headers: Mapping[str, str], key: str
    ) -> AsyncIterator[Response | None]:
        """A file to be read; None where its range holds nothing. Raises NotFound, Unavailable."""
        try:
            async with self._client.open("GET", self.place.url + path, headers=headers) as response:
                if response.status_code < 300:
                    yield response
                    return
                refused = refusal(response.status_code, await response.aread())
                if refused.status != 416:
                    raise refused
                yield None
        except (Refusal, NoAnswer) as error:
            raise in_words(self.place, error, key) from error

    async def pause(self, tries_left: int) -> None:
        """Longer each time."""
        await asyncio.sleep(self._first_pause * 3.0 ** (TRIES - 1 - tries_left))
