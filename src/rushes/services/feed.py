"""The live feed: one reader of the event log in each process, many subscribers."""

import asyncio
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import structlog

from rushes.domain.errors import Unavailable
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
    """The subscriber reads too slowly: it must connect again and catch up."""


class Subscriber:
    """One open stream, with a bounded queue of its own."""

    def __init__(self, principal: Principal) -> None:
        self.principal = principal
        self._queue: asyncio.Queue[Message] = asyncio.Queue(QUEUE_LIMIT)
        self._overrun = False

    def offer(self, message: Message) -> None:
        """Never blocks: progress may be dropped, anything else ends a stream that can't keep up."""
        try:
            self._queue.put_nowait(message)
        except asyncio.QueueFull:
            self._overrun = self._overrun or message.event != "progress"

    async def next(self, timeout: float) -> Message | None:
        """The next message, or None after `timeout` seconds. Raises Overrun."""
        if self._overrun:
            raise Overrun
        try:
            return await asyncio.wait_for(self._queue.get(), timeout)
        except TimeoutError:
            return None


class FeedHub:
    """Reads each change once and gives it to everybody who may see it."""

    def __init__(self, *, events: JobEvents) -> None:
        self._events = events
        self._subscribers: set[Subscriber] = set()
        self._cursor: str | None = None
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
        if signal.kind == "progress":
            await self._progress(signal.payload)
            return
        if self._cursor is None:
            self._cursor = await self._events.head()
        while changes := await self._events.since(self._cursor, limit=CATCH_UP_PAGE):
            for change in changes:
                self._spread(change)
            self._cursor = changes[-1].cursor

    def _spread(self, change: FeedChange) -> None:
        if change.card:
            self._know(change.job_id, (change.user_id, change.visibility))
        else:
            self._seen.pop(change.job_id, None)
        for subscriber in self._subscribers:
            message = message_for(subscriber.principal, change)
            if message:
                subscriber.offer(message)

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
            whose = await self._events.whose(job_id) if self._subscribers else None
            if whose is None:
                return
            self._know(job_id, whose)
        owner, visibility = self._seen[job_id]
        message = Message("progress", payload.encode())
        for subscriber in self._subscribers:
            if subscriber.principal.may_see(owner, visibility):
                subscriber.offer(message)

    @contextmanager
    def subscription(self, principal: Principal) -> Iterator[Subscriber]:
        """A place in the hub for as long as the block lasts."""
        subscriber = Subscriber(principal)
        self._subscribers.add(subscriber)
        try:
            yield subscriber
        finally:
            self._subscribers.discard(subscriber)

    async def missed(self, principal: Principal, cursor: str) -> AsyncIterator[Message]:
        """What happened after a cursor, for this principal. Raises InvalidCursor."""
        while changes := await self._events.since(cursor, limit=CATCH_UP_PAGE):
            for change in changes:
                message = message_for(principal, change)
                if message:
                    yield message
            cursor = changes[-1].cursor

    async def check(self, cursor: str) -> None:
        """Raises InvalidCursor."""
        await self._events.since(cursor, limit=1)

    async def head(self) -> str:
        """The cursor of now."""
        return await self._events.head()


def message_for(principal: Principal, change: FeedChange) -> Message | None:
    """The change as this principal may know it: the card, its removal, or nothing."""
    if principal.may_see(change.user_id, change.visibility) and not change.deleted:
        return Message("job", change.card, change.cursor)
    could_see = principal.may_see(change.user_id, change.was_visibility or change.visibility)
    if could_see:
        return Message("removed", json.dumps({"id": str(change.job_id)}).encode(), change.cursor)
    return None
