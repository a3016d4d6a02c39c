"""The live feed: one reader of the event log in each process, many subscribers."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import structlog

from rushes.domain.errors import InvalidCursor, Unavailable
from rushes.domain.feed_cursor import FeedCursor
from rushes.domain.principal import Principal
from rushes.ports import FeedChange, JobEvents, Signal

log = structlog.get_logger("rushes.feed")

QUEUE_LIMIT = 256
KNOWN_JOBS = 10_000
CATCH_UP_PAGE = 500


@dataclass(frozen=True, slots=True)
class Message:
    """One server-sent event; `id` is the cursor to resume from."""

    event: str
    data: bytes
    id: str | None = None


class Overrun(Exception):
    """The stream can't go on without a gap: the subscriber must connect again and catch up."""


class Subscriber:
    """One open stream, with a bounded queue of its own, and how far it has read."""

    def __init__(self, principal: Principal, read: FeedCursor) -> None:
        self.principal = principal
        self.read = read
        self._queue: asyncio.Queue[tuple[Message, FeedChange | None]] = asyncio.Queue(QUEUE_LIMIT)
        self._overrun = False

    def offer(self, message: Message, change: FeedChange | None = None) -> None:
        """Never blocks: progress may be dropped, anything else ends a stream that can't keep up."""
        try:
            self._queue.put_nowait((message, change))
        except asyncio.QueueFull:
            self._overrun = self._overrun or message.event != "progress"

    def break_off(self) -> None:
        """The next `next` raises Overrun."""
        self._overrun = True

    async def next(self, timeout: float) -> Message | None:
        """The next message, or None after `timeout` seconds. Raises Overrun."""
        try:
            async with asyncio.timeout(timeout):
                while not self._overrun:
                    message = self.told(*await self._queue.get())
                    if message:
                        return message
        except TimeoutError:
            return None
        raise Overrun

    def told(self, message: Message, change: FeedChange | None) -> Message | None:
        """The message with the cursor that it leads to; None where it was told before."""
        if change is None:
            return message
        if self.read.covers(change.xids):
            return None
        self.read = self.read.plus(change.cursor)
        return replace(message, id=str(self.read))


class FeedHub:
    """Reads each change once and gives it to everybody who may see it."""

    def __init__(self, *, events: JobEvents) -> None:
        self._events = events
        self._subscribers: set[Subscriber] = set()
        self._cursor: FeedCursor | None = None
        self._seen: OrderedDict[UUID, tuple[UUID | None, str]] = OrderedDict()

    @property
    def count(self) -> int:
        """How many streams are open."""
        return len(self._subscribers)

    async def run(self) -> None:
        """Read changes until cancelled."""
        async for signal in self._events.listen("jobs", "progress"):
            try:
                await self._heed(signal)
            except Unavailable as error:
                log.warning("feed waits for the database", error=error.message)
            except Exception:
                log.exception("feed broke")

    async def _heed(self, signal: Signal) -> None:
        if not self._subscribers:  # whoever comes brings a cursor to go on from
            self._cursor = None
            self._seen.clear()
            return
        if signal.kind == "progress":
            await self._progress(signal.payload)
            return
        try:
            await self._read_on(self._cursor or await self._begin())
        except InvalidCursor as error:  # another database is behind the address, or it was restored
            log.warning("feed begins anew", error=error.message)
            await self._begin()

    async def _begin(self) -> FeedCursor:
        """From now on; whoever is there already may lack what came before."""
        self._cursor = await self._events.head()
        for subscriber in self._subscribers:
            subscriber.break_off()
        return self._cursor

    async def _read_on(self, cursor: FeedCursor) -> None:
        more = True
        while more:
            page = await self._events.since(cursor, limit=CATCH_UP_PAGE)
            for change in page.changes:
                self._spread(change)
            self._cursor = cursor = page.cursor
            more = page.more

    def _spread(self, change: FeedChange) -> None:
        if change.card:
            self._know(change.job_id, (change.user_id, change.visibility))
        else:
            self._seen.pop(change.job_id, None)
        for subscriber in self._subscribers:
            message = message_for(subscriber.principal, change)
            if message:
                subscriber.offer(message, change)

    def _know(self, job_id: UUID, whose: tuple[UUID | None, str]) -> None:
        self._seen[job_id] = whose
        self._seen.move_to_end(job_id)
        if len(self._seen) > KNOWN_JOBS:
            self._seen.popitem(last=False)

    async def _progress(self, payload: str) -> None:
        try:
            told: dict[str, Any] = json.loads(payload)
            job_id = UUID(told["id"])
        except (ValueError, KeyError, TypeError, AttributeError):
            return
        if job_id not in self._seen:  # its last change was before this process began
            whose = await self._events.whose(job_id)
            if whose is None:
                return
            self._know(job_id, whose)
        owner, visibility = self._seen[job_id]
        message = Message("progress", payload.encode())
        for subscriber in self._subscribers:
            if subscriber.principal.may_see(owner, visibility):
                subscriber.offer(message)

    @contextmanager
    def subscription(self, principal: Principal, read: FeedCursor) -> Iterator[Subscriber]:
        """A place in the hub for as long as the block lasts, for somebody who has read that far."""
        subscriber = Subscriber(principal, read)
        self._subscribers.add(subscriber)
        if self._cursor is None:
            self._cursor = read
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    async def missed(self, subscriber: Subscriber) -> AsyncIterator[Message]:
        """What happened since, page by page; then `next` has what follows. Raises InvalidCursor."""
        more = True
        while more:
            page = await self._events.since(subscriber.read, limit=CATCH_UP_PAGE)
            for change in page.changes:
                message = message_for(subscriber.principal, change)
                told = message and subscriber.told(message, change)
                if told:
                    yield told
            subscriber.read = page.cursor
            more = page.more

    async def check(self, cursor: FeedCursor) -> None:
        """Raises InvalidCursor."""
        await self._events.since(cursor, limit=1)

    async def head(self) -> FeedCursor:
        """The cursor of now."""
        return await self._events.head()


def message_for(principal: Principal, change: FeedChange) -> Message | None:
    """The change as this principal may know it: the card, its removal, or nothing."""
    if principal.may_see(change.user_id, change.visibility) and not change.deleted:
        return Message("job", change.card)
    could_see = principal.may_see(change.user_id, change.was_visibility or change.visibility)
    if could_see:
        return Message("removed", json.dumps({"id": str(change.job_id)}).encode())
    return None
