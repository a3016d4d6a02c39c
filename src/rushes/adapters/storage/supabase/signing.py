"""Signed URLs by the bunch: what is asked for within a moment goes into one request."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from rushes.domain.errors import RushesError

GATHER_SECONDS = 0.003
MOST_AT_ONCE = 300  # which takes the server some 30 ms
_KEPT = 5_000

Sign = Callable[[Sequence[str], int], Awaitable[dict[str, str | None]]]


@dataclass(frozen=True, slots=True)
class _Signed:
    url: str
    fresh_until: float


class BulkSigner:
    """Keeps what was signed for half of its life. `sign` answers a URL, or None for what isn't there."""

    def __init__(self, sign: Sign, *, seconds: int) -> None:
        self._sign = sign
        self._seconds = seconds
        self._kept: dict[str, _Signed] = {}
        self._waiting: dict[str, asyncio.Future[str | None]] = {}
        self._round: asyncio.Task[None] | None = None

    async def url(self, key: str) -> str | None:
        """Good for at least half of the seconds. Raises Unavailable."""
        kept = self._kept.get(key)
        if kept and kept.fresh_until > self._now():
            return kept.url
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = asyncio.get_running_loop().create_future()
            if self._round is None or self._round.done():
                self._round = asyncio.create_task(self._rounds())
        return await asyncio.shield(waiting)

    async def aclose(self) -> None:
        """End the round under way."""
        if self._round is not None:
            self._round.cancel()
            await asyncio.gather(self._round, return_exceptions=True)
        for waiting in self._waiting.values():
            waiting.cancel()

    async def _rounds(self) -> None:
        while self._waiting:
            await asyncio.sleep(GATHER_SECONDS)
            asked = dict(list(self._waiting.items())[:MOST_AT_ONCE])
            try:
                self._tell(asked, await self._sign(list(asked), self._seconds))
            except RushesError as error:
                for future in asked.values():
                    future.set_exception(error)
                    future.exception()  # seen, should nobody wait any more
            for key in asked:
                del self._waiting[key]

    def _tell(self, asked: dict[str, asyncio.Future[str | None]], urls: dict[str, str | None]) -> None:
        until = self._now() + self._seconds / 2
        for key, future in asked.items():
            url = urls.get(key)
            if url is not None:
                self._kept.pop(key, None)
                self._kept[key] = _Signed(url, until)
            future.set_result(url)
        while len(self._kept) > _KEPT:
            del self._kept[next(iter(self._kept))]

    def _now(self) -> float:
        return asyncio.get_running_loop().time()
