"""The live feed while transactions are open and commit in any order: at once, nothing missed, nothing twice."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from uuid import UUID

import psycopg
import pytest

from rushes.adapters.postgres.events import PostgresJobEvents
from rushes.adapters.postgres.pool import Database
from rushes.domain.feed_cursor import FeedCursor
from rushes.ports import Signal
from rushes.services import feed
from rushes.services.feed import FeedHub, Message, Subscriber
from tests.integration.feed.people import ANNA
from tests.integration.feed.rows import uuid7

pytestmark = pytest.mark.anyio
WRITERS = 4
LOOK = Signal(kind="jobs")


@pytest.fixture
def events(database: Database) -> PostgresJobEvents:
    return PostgresJobEvents(database, listen_dsn=None)


@pytest.fixture
def jobs(feed_url: str) -> list[UUID]:
    made = [uuid7(datetime.now(UTC)) for _ in range(120)]
    with psycopg.connect(feed_url) as connection, connection.cursor() as cursor:
        cursor.executemany(
            "INSERT INTO public.workflow_jobs (id, job_id, user_id, workflow_type, workflow_name)"
            " VALUES (%s, %s, %s, 'img2img', 'workflow.json')",
            [(job, str(job), ANNA.user_id) for job in made],
        )
    return made


@pytest.fixture
def writers(feed_url: str) -> Iterator[list["Writer"]]:
    with ExitStack() as stack:
        yield [Writer(stack.enter_context(psycopg.connect(feed_url))) for _ in range(WRITERS)]


class Writer:
    """Somebody with a transaction that is open for a while."""

    def __init__(self, connection: psycopg.Connection) -> None:
        self.connection = connection
        self.touched: list[UUID] = []

    def write(self, job: UUID) -> None:
        self.touched.append(job)
        self.connection.execute(
            "INSERT INTO public.workflow_job_events (job_id, kind) VALUES (%s, 'edited')", (job,)
        )

    def end(self, *, commit: bool) -> list[UUID]:
        """What everybody sees from now on."""
        self.connection.commit() if commit else self.connection.rollback()
        told, self.touched = self.touched, []
        return told if commit else []


class Browser:
    """A stream that breaks and goes on from the last event's id."""

    def __init__(self, start: FeedCursor) -> None:
        self.last_event_id = str(start)
        self.heard: list[UUID] = []
        self._stack = ExitStack()
        self._subscriber: Subscriber | None = None
        self._missed: AsyncIterator[Message] | None = None

    async def read(self, hub: FeedHub, most: int) -> int:
        """At most so many messages, connecting before where that is needed; how many there were."""
        if self._subscriber is None:
            read = FeedCursor.parse(self.last_event_id)
            self._subscriber = self._stack.enter_context(hub.subscription(ANNA, read))
            self._missed = hub.missed(self._subscriber)
        for count in range(most):
            message = await self._next(self._subscriber)
            if message is None:
                return count
            assert message.id
            self.last_event_id = message.id
            self.heard.append(UUID(json.loads(message.data)["id"]))
        return most

    async def _next(self, subscriber: Subscriber) -> Message | None:
        if self._missed is not None:
            message = await anext(self._missed, None)
            if message:
                return message
            self._missed = None
        return await subscriber.next(0.001)

    def leave(self) -> None:
        self._stack.close()
        self._subscriber = self._missed = None


@pytest.mark.parametrize("seed", range(12))
async def test_any_order_of_commits(
    events: PostgresJobEvents,
    jobs: list[UUID],
    writers: list[Writer],
    seed: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(feed, "CATCH_UP_PAGE", 3)
    chance = random.Random(seed)
    waiting, committed = list(jobs), list[UUID]()
    hub = FeedHub(events=events)
    await hub._heed(LOOK)
    browsers = [Browser(await events.head()) for _ in range(3)]

    while waiting or any(writer.touched for writer in writers):
        writer, browser = chance.choice(writers), chance.choice(browsers)
        match chance.choices(["write", "end", "look", "read", "leave", "restart"], [9, 4, 4, 6, 2, 0.3])[0]:
            case "write" if waiting:
                writer.write(waiting.pop())
            case "end":
                committed += writer.end(commit=chance.random() < 0.8)
            case "look":
                await hub._heed(LOOK)
            case "read":
                await browser.read(hub, chance.randrange(1, 6))
            case "leave":
                browser.leave()
            case "restart":
                hub = FeedHub(events=events)
                await hub._heed(LOOK)
                for one in browsers:
                    one.leave()

    await hub._heed(LOOK)
    for browser in browsers:
        while await browser.read(hub, 10):
            pass
        browser.leave()
        assert sorted(browser.heard) == sorted(committed), "each once"
    assert len(committed) > 50


async def test_others_transactions_hold_nothing_up(
    feed_url: str, database: Database, jobs: list[UUID], writers: list[Writer]
) -> None:
    """Also one in another database of the server, and one that is only prepared to write."""
    events = PostgresJobEvents(database, listen_dsn=feed_url)
    hub = FeedHub(events=events)
    elsewhere = psycopg.conninfo.make_conninfo(feed_url, dbname="postgres")
    with psycopg.connect(elsewhere) as stranger:
        stranger.execute("SELECT pg_current_xact_id()")
        writers[0].write(jobs[0])
        running = asyncio.create_task(hub.run())
        browser = Browser(await events.head())
        try:
            await browser.read(hub, 1)
            for _ in range(3):
                writers[1].write(job := jobs.pop())
                writers[1].end(commit=True)
                await events.notify("jobs")
                async with asyncio.timeout(2):
                    while job not in browser.heard:
                        await browser.read(hub, 1)
                assert browser.heard.count(job) == 1
            writers[0].end(commit=True)
            async with asyncio.timeout(5):  # nobody gave a hint: the poll finds it
                while jobs[0] not in browser.heard:
                    await browser.read(hub, 1)
            assert len(browser.heard) == 4
        finally:
            browser.leave()
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            await events.aclose()
