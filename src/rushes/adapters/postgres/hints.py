"""LISTEN and NOTIFY. A hint may be lost at any time, so polling stands behind every one of them."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from time import monotonic

import psycopg
import structlog
from psycopg import AsyncConnection, sql
from psycopg.conninfo import make_conninfo

from rushes.adapters.postgres.problems import where
from rushes.ports import Signal

log = structlog.get_logger("rushes.hints")

POLL = 3.0  # seconds, behind LISTEN
POLL_ONLY = 1.0  # seconds, without it
LONGEST_BACKOFF = 10.0
NOTIFY_PAUSE = 0.05
_KINDS = ("jobs", "progress", "cancel")
# A peer that vanished is noticed within half a minute.
_KEEPALIVE = {"keepalives": 1, "keepalives_idle": 15, "keepalives_interval": 5, "keepalives_count": 3}
_JOBS = Signal(kind="jobs")


async def listen(dsn: str | None, kinds: Sequence[str]) -> AsyncIterator[Signal]:
    """Signals of those kinds, and `jobs` after each (re)connect and at every poll; for ever."""
    backoff = 0.25
    while dsn is None:
        yield _JOBS
        await asyncio.sleep(POLL_ONLY)
    while True:
        try:
            async with await _connected(dsn, {*kinds, "jobs"}) as connection:
                backoff = 0.25
                async for signal in _heard(connection):
                    yield signal
        except psycopg.OperationalError as error:
            log.warning("not listening", server=where(dsn), error=str(error).strip())
        yield _JOBS
        await asyncio.sleep(backoff * random.uniform(0.5, 1))  # noqa: S311 - jitter, no secret
        backoff = min(backoff * 2, LONGEST_BACKOFF)


async def _connected(dsn: str, kinds: set[str]) -> AsyncConnection:
    conninfo = make_conninfo(dsn, connect_timeout=10, application_name="rushes listen", **_KEEPALIVE)
    connection = await AsyncConnection.connect(conninfo, autocommit=True)
    try:
        for kind in sorted(kinds & set(_KINDS)):
            await connection.execute(sql.SQL("LISTEN {}").format(sql.Identifier(f"rushes_{kind}")))
    except BaseException:
        await connection.close()
        raise
    return connection


async def _heard(connection: AsyncConnection) -> AsyncIterator[Signal]:
    yield _JOBS
    due = monotonic() + POLL
    while True:
        wait = max(0.0, due - monotonic())
        heard = [notice async for notice in connection.notifies(timeout=wait, stop_after=1)]
        # what came at once is told once
        for channel, payload in dict.fromkeys((notice.channel, notice.payload) for notice in heard):
            yield Signal(kind=channel.removeprefix("rushes_"), payload=payload)
        if monotonic() >= due:
            yield _JOBS
            due = monotonic() + POLL


class Coalesced:
    """Sends at once when asked, and then at most once every `pause` seconds, however often it is asked."""

    def __init__(self, send: Callable[[], Awaitable[None]], *, pause: float = NOTIFY_PAUSE) -> None:
        self._send = send
        self._pause = pause
        self._asked = False
        self._task: asyncio.Task[None] | None = None

    def ask(self) -> None:
        """Send soon."""
        self._asked = True
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work())

    async def aclose(self) -> None:
        """Wait until what was asked for is sent."""
        if self._task is not None:
            await self._task

    async def _work(self) -> None:
        while self._asked:
            self._asked = False
            await self._send()
            await asyncio.sleep(self._pause)
