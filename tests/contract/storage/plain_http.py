"""What a client without any library does."""

import asyncio
import urllib.error
import urllib.request
from dataclasses import dataclass
from email.message import Message
from typing import Any


@dataclass
class Fetched:
    status: int
    headers: Message
    body: bytes


async def fetched(url: str, **request: Any) -> Fetched:
    """The answer, whatever its status."""
    return await asyncio.to_thread(_fetch, urllib.request.Request(url, **request))


def _fetch(request: urllib.request.Request) -> Fetched:
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return Fetched(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Fetched(error.code, error.headers, error.read())
