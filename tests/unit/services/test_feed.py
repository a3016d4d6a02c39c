"""The live feed's hub: who hears of what, and what happens to those who read too slowly."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import ExitStack
from typing import Any
from uuid import UUID, uuid4

import pytest

from rushes.domain.errors import InvalidCursor
from rushes.domain.feed_cursor import FeedCursor
from rushes.domain.principal import ANON, Principal
from rushes.ports import FeedChange
from rushes.services import feed
from rushes.services.feed import FeedHub, Message, Overrun, Subscriber, message_for
from rushes.testing.memory.events import MemoryEvents
from tests.unit.services.waiting import until

pytestmark = pytest.mark.anyio
OWNER = Principal(user_id=UUID(int=1))
MEMBER = Principal(user_id=UUID(int=2))
VISITOR = Principal(user_id=UUID(int=3), is_anonymous=True)
START = FeedCursor(0)
ADMIN = Principal(user_id=UUID(int=4), is_admin=True)


class Place:
    """A hub that runs, and its event log."""

    def __init__(self) -> None:
        self.events = MemoryEvents()
        self.hub = FeedHub(events=self.events)

    def change(
        self,
        visibility: str = "private",
        *,
        job: UUID | None = None,
        was: str | None = None,
        deleted: bool = False,
    ) -> UUID:
        job = job or uuid4()
        self.events.log.append(
            FeedChange(
                cursor=FeedCursor(len(self.events.log) + 1),
                xids=(len(self.events.log),),
                job_id=job,
                user_id=OWNER.user_id,
                visibility=visibility,
                deleted=deleted,
                card=json.dumps({"id": str(job)}).encode(),
                was_visibility=was,
            )
        )
        self.events.signal("jobs")
        return job


@pytest.fixture
async def place() -> AsyncIterator[Place]:
    found = Place()
    running = asyncio.create_task(found.hub.run())
    yield found
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def everything(subscriber: Subscriber) -> list[Message]:
    heard = []
    while message := await subscriber.next(0.05):
        heard.append(message)
    return heard


@pytest.mark.parametrize(
    ("visibility", "hear"),
    [
        ("private", {"owner", "admin"}),
        ("team", {"owner", "member", "admin"}),
        ("public", {"owner", "member", "visitor", "admin", "anon"}),
    ],
)
async def test_cards_and_progress_reach_those_who_may_see_the_job(
    place: Place, visibility: str, hear: set[str]
) -> None:
    people = {"owner": OWNER, "member": MEMBER, "visitor": VISITOR, "admin": ADMIN, "anon": ANON}
    with ExitStack() as stack:
        places = {
            name: stack.enter_context(place.hub.subscription(who, START)) for name, who in people.items()
        }
        assert place.hub.count == 5
        job = place.change(visibility)
        await until(lambda: place.hub._cursor == FeedCursor(1))
        place.events.signal("progress", json.dumps({"id": str(job), "percent": 5}))
        heard = {name: [one.event for one in await everything(mine)] for name, mine in places.items()}
    assert {name for name, events in heard.items() if events} == hear
    assert all(events == ["job", "progress"] for events in heard.values() if events)
    assert place.hub.count == 0


@pytest.mark.parametrize(
    ("change", "owner", "member"),
    [
        ({"visibility": "private", "was": "team"}, "job", "removed"),
        ({"visibility": "team", "was": "private"}, "job", "job"),
        ({"visibility": "private"}, "job", None),
        ({"visibility": "team", "deleted": True}, "removed", "removed"),
        ({"visibility": "private", "was": "team", "deleted": True}, "removed", "removed"),
        ({"visibility": "private", "deleted": True}, "removed", None),
    ],
)
async def test_what_a_change_is_to_each(change: dict[str, Any], owner: str, member: str | None) -> None:
    place = Place()
    job = place.change(**change)
    [made] = place.events.log
    told = {name: message_for(who, made) for name, who in (("owner", OWNER), ("member", MEMBER))}
    assert told["owner"] is not None
    assert told["owner"].event == owner
    assert (told["member"].event if told["member"] else None) == member
    if told["member"] and member == "removed":
        assert json.loads(told["member"].data) == {"id": str(job)}, "a removal tells nothing but the id"


async def test_progress_of_an_unknown_job_is_nobodys(place: Place) -> None:
    with place.hub.subscription(ADMIN, START) as mine:
        for payload in (json.dumps({"id": str(uuid4())}), "", "{", "null", "[]", '{"id": 3}', '{"id": "x"}'):
            place.events.signal("progress", payload)
        place.change()
        assert [one.event for one in await everything(mine)] == ["job"]


async def test_a_database_that_is_away_loses_nothing(place: Place) -> None:
    with place.hub.subscription(OWNER, START) as mine:
        place.events.away = 1
        first = place.change()
        await until(lambda: place.events.away == 0)
        second = place.change()
        heard = await everything(mine)
    assert [json.loads(one.data)["id"] for one in heard] == [str(first), str(second)]
    assert [one.id for one in heard] == ["1:", "2:"]


async def test_a_slow_reader_loses_progress_but_never_a_card(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "QUEUE_LIMIT", 3)
    slow = Subscriber(OWNER, START)
    for _ in range(3):
        slow.offer(Message("job", b"{}"))
    slow.offer(Message("progress", b"{}"))
    assert await slow.next(0.01) is not None, "a dropped progress is no harm"
    slow.offer(Message("job", b"{}"))
    slow.offer(Message("job", b"{}"))
    with pytest.raises(Overrun):
        await slow.next(0.01)


async def test_a_long_catching_up_comes_in_pages_and_in_order(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feed, "CATCH_UP_PAGE", 3)
    jobs = [place.change("public" if n % 2 else "private") for n in range(10)]
    with place.hub.subscription(OWNER, FeedCursor(2)) as mine, place.hub.subscription(ANON, START) as theirs:
        seen = [json.loads(one.data)["id"] async for one in place.hub.missed(mine)]
        assert seen == [str(job) for job in jobs[2:]]
        assert len([one async for one in place.hub.missed(theirs)]) == 5
    with place.hub.subscription(OWNER, FeedCursor(99)) as mine, pytest.raises(InvalidCursor):
        _ = [one async for one in place.hub.missed(mine)]


async def test_what_the_replay_told_is_not_told_again(place: Place) -> None:
    with place.hub.subscription(OWNER, START) as mine:
        both = [place.change(), place.change()]
        await until(lambda: place.hub._cursor == FeedCursor(2))  # they are in the queue, too
        told = [one async for one in place.hub.missed(mine)]
        both.append(place.change())
        told += await everything(mine)
    assert [json.loads(one.data)["id"] for one in told] == [str(job) for job in both]
    assert [one.id for one in told] == ["1:", "2:", "3:"]


async def test_a_log_that_is_another_ends_the_streams_and_goes_on(place: Place) -> None:
    """A database that was restored: whoever listens has to look anew, and the next ones hear of everything."""
    for _ in range(3):
        place.change()
    with place.hub.subscription(OWNER, FeedCursor(3)) as mine:
        place.events.log.clear()
        place.events.signal("jobs")
        await until(lambda: place.hub._cursor == FeedCursor(0))
        with pytest.raises(Overrun):
            await mine.next(1)
    with place.hub.subscription(OWNER, START) as mine:
        place.change()
        assert len(await everything(mine)) == 1


async def test_a_stream_from_before_the_first_look_misses_nothing() -> None:
    place = Place()
    place.events.away = 1
    with place.hub.subscription(OWNER, START) as mine:
        running = asyncio.create_task(place.hub.run())
        await until(lambda: place.events.away == 0)
        job = place.change()
        assert [json.loads(one.data)["id"] for one in await everything(mine)] == [str(job)]
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def test_while_nobody_listens_the_log_is_not_read(place: Place) -> None:
    place.events.away = 1  # the next look would find the database away
    place.change()
    place.events.signal("progress", json.dumps({"id": str(uuid4())}))
    await until(place.events._heard.empty)
    assert place.events.away == 1
    place.events.away = 0
    with place.hub.subscription(OWNER, FeedCursor(1)) as mine:  # the next one goes on from its own cursor
        second = place.change()
        assert [json.loads(one.data)["id"] for one in await everything(mine)] == [str(second)]
    place.change()
    await until(lambda: place.hub._cursor is None and not place.hub._seen)
    with place.hub.subscription(OWNER, FeedCursor(2)) as mine:
        place.events.signal("jobs")
        assert len(await everything(mine)) == 1


async def test_the_memory_of_jobs_is_bounded(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "KNOWN_JOBS", 2)
    with place.hub.subscription(OWNER, START):
        for _ in range(5):
            place.change()
        await until(lambda: place.hub._cursor == FeedCursor(5))
        assert len(place.hub._seen) == 2
