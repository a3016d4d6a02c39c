"""Hints over LISTEN: they arrive, they are few, and losing the connection loses nothing for long."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from time import monotonic

import psycopg
import pytest

from rushes.adapters.postgres import hints
from rushes.adapters.postgres.events import PostgresJobEvents
from rushes.adapters.postgres.hints import Coalesced
from rushes.adapters.postgres.pool import Database
from rushes.ports import Signal

pytestmark = pytest.mark.anyio

JOBS = Signal(kind="jobs")


@pytest.fixture
async def events(database: Database, feed_url: str) -> AsyncIterator[PostgresJobEvents]:
    events = PostgresJobEvents(database, listen_dsn=feed_url)
    yield events
    await events.aclose()


@asynccontextmanager
async def hearing(events: PostgresJobEvents, *kinds: str) -> AsyncIterator[AsyncIterator[Signal]]:
    """Signals, from when the connection listens."""
    async with asyncio.timeout(20), aclosing(events.listen(*kinds)) as signals:  # type: ignore[type-var]
        assert await anext(signals) == JOBS
        yield signals


async def until(signals: AsyncIterator[Signal], wanted: Signal) -> list[Signal]:
    heard: list[Signal] = []
    async for signal in signals:
        heard.append(signal)
        if signal == wanted:
            break
    return heard


async def test_hints_arrive_with_their_payload(events: PostgresJobEvents) -> None:
    async with hearing(events, "jobs", "progress", "cancel") as signals:
        await events.notify("progress", '{"id": "ü"}')
        await until(signals, Signal(kind="progress", payload='{"id": "ü"}'))
        await events.notify("cancel", "42")
        await until(signals, Signal(kind="cancel", payload="42"))
        started = monotonic()
        await events.notify("jobs")
        await until(signals, JOBS)
        assert monotonic() - started < hints.POLL / 2, "it came as a hint, not by polling"


async def test_only_what_was_asked_for_is_heard(events: PostgresJobEvents) -> None:
    async with hearing(events, "cancel") as signals:
        await events.notify("progress", "no")
        await events.notify("cancel", "yes")
        assert Signal(kind="progress", payload="no") not in await until(
            signals, Signal(kind="cancel", payload="yes")
        )


async def test_none_of_many_is_lost(events: PostgresJobEvents, feed_url: str) -> None:
    async with hearing(events, "progress") as signals:
        with psycopg.connect(feed_url, autocommit=True) as connection:
            for n in range(500):
                connection.execute("SELECT pg_notify('rushes_progress', %s)", (str(n),))
        heard = await until(signals, Signal(kind="progress", payload="499"))
        assert [signal.payload for signal in heard if signal.kind == "progress"] == [
            str(n) for n in range(500)
        ]


async def test_many_changes_are_told_a_few_times(events: PostgresJobEvents, feed_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(feed_url, autocommit=True) as connection:
        await connection.execute("LISTEN rushes_jobs")
        started = monotonic()
        for _ in range(300):
            await events.notify("jobs")
            await asyncio.sleep(0)
        await events.aclose()
        took = monotonic() - started
        heard = [notice async for notice in connection.notifies(timeout=0.2)]
    assert 1 <= len(heard) <= 2 + took / hints.NOTIFY_PAUSE


async def test_the_last_change_is_always_told() -> None:
    state = {"now": 0, "told": -1}

    async def send() -> None:
        told = state["now"]
        await asyncio.sleep(0.002)
        state["told"] = told

    coalesced = Coalesced(send, pause=0.001)
    for n in range(200):
        state["now"] = n
        coalesced.ask()
        if n % 7 == 0:
            await asyncio.sleep(0.001)
    await coalesced.aclose()
    assert state["told"] == 199


async def test_a_lost_connection_is_made_again(events: PostgresJobEvents, feed_url: str) -> None:
    async with hearing(events, "cancel") as signals:
        with psycopg.connect(feed_url, autocommit=True) as connection:
            (killed,) = connection.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE application_name = 'rushes listen' AND datname = current_database()"
            ).fetchone() or (0,)
            assert killed == 1
        assert await anext(signals) == JOBS, "what was missed must be looked up"
        payload = 0
        while True:  # until it listens again
            payload += 1
            await events.notify("cancel", str(payload))
            if (await anext(signals)).kind == "cancel":
                break


async def test_without_a_server_it_goes_on_polling(database: Database) -> None:
    nowhere = PostgresJobEvents(database, listen_dsn="postgresql://127.0.0.1:1/none?connect_timeout=2")
    async with asyncio.timeout(10), aclosing(nowhere.listen("jobs")) as signals:  # type: ignore[type-var]
        assert [await anext(signals), await anext(signals)] == [JOBS, JOBS]


@pytest.mark.parametrize("with_listen", [True, False])
async def test_polling_stands_behind(
    database: Database, feed_url: str, monkeypatch: pytest.MonkeyPatch, with_listen: bool
) -> None:
    monkeypatch.setattr(hints, "POLL", 0.05)
    monkeypatch.setattr(hints, "POLL_ONLY", 0.05)
    quiet = PostgresJobEvents(database, listen_dsn=feed_url if with_listen else None)
    async with asyncio.timeout(5), aclosing(quiet.listen("jobs")) as signals:  # type: ignore[type-var]
        assert [await anext(signals) for _ in range(4)] == [JOBS] * 4


async def test_a_hint_that_does_not_fit_is_dropped(events: PostgresJobEvents) -> None:
    async with hearing(events, "progress") as signals:
        await events.notify("progress", "ü" * 4000)
        await events.notify("progress", "small")
        heard = await until(signals, Signal(kind="progress", payload="small"))
        assert len([signal for signal in heard if signal.kind == "progress"]) == 1
