"""The event log: in commit order, nothing skipped, nothing twice."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from rushes.adapters.postgres.events import PostgresJobEvents
from rushes.adapters.postgres.pool import Database
from rushes.domain.errors import InvalidCursor
from rushes.domain.principal import Principal
from rushes.ports import FeedChange
from tests.integration.feed.people import ANNA, BERT
from tests.integration.feed.rows import uuid7

pytestmark = pytest.mark.anyio


@pytest.fixture
def events(database: Database) -> PostgresJobEvents:
    return PostgresJobEvents(database, listen_dsn=None)


@pytest.fixture
def connection(feed_url: str) -> Iterator[psycopg.Connection]:
    """Writes as the service does, through the triggers."""
    with psycopg.connect(feed_url, autocommit=True, options="-c lock_timeout=5s") as connection:
        yield connection


def submit(connection: psycopg.Connection, visibility: str = "private", *, owner: Principal = ANNA) -> UUID:
    job_id = uuid7(datetime.now(UTC))
    connection.execute(
        "INSERT INTO public.workflow_jobs (id, job_id, user_id, workflow_type, workflow_name, visibility)"
        " VALUES (%s, %s, %s, 'img2img', 'workflow.json', %s)",
        (job_id, str(job_id), owner.user_id, visibility),
    )
    return job_id


def change(connection: psycopg.Connection, job_id: UUID, assignment: str) -> None:
    connection.execute(f"UPDATE public.workflow_jobs SET {assignment} WHERE id = %s", (job_id,))


async def settled(events: PostgresJobEvents, connection: psycopg.Connection) -> str:
    """The cursor of now, once it is past all that was committed: an open transaction in any database of the server
    holds readers up, and other tests have theirs."""
    (xid,) = connection.execute("SELECT pg_current_xact_id()::text::bigint").fetchone() or (0,)
    async with asyncio.timeout(60):
        while int((cursor := await events.head()).split("-")[0]) <= xid:
            await asyncio.sleep(0.01)
    return cursor


async def changes_since(
    events: PostgresJobEvents, connection: psycopg.Connection, cursor: str
) -> list[FeedChange]:
    await settled(events, connection)
    return await events.since(cursor)


async def test_a_change_comes_once_with_its_card(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    cursor = await settled(events, connection)
    first, second = submit(connection), submit(connection, "team")
    change(connection, first, "title = 'mine'")
    changes = await changes_since(events, connection, cursor)
    assert [told.job_id for told in changes] == [second, first], "by the newest event of each"
    told = changes[1]
    assert (told.user_id, told.visibility, told.deleted, told.was_visibility) == (
        ANNA.user_id,
        "private",
        False,
        None,
    )
    card = json.loads(told.card)
    assert (card["id"], card["title"], card["progress"]) == (str(first), "mine", None)
    assert await changes_since(events, connection, changes[0].cursor) == [told]
    assert await changes_since(events, connection, told.cursor) == []


async def test_a_transaction_that_commits_late_is_not_skipped(
    events: PostgresJobEvents, connection: psycopg.Connection, feed_url: str
) -> None:
    cursor = await settled(events, connection)
    with psycopg.connect(feed_url) as slow:
        late = submit(slow, owner=BERT)  # the lower serial number, still open (two of one person would queue)
        early = submit(connection)  # the higher one, committed
        assert await events.since(cursor) == [], "what came after an open transaction waits for it"
        slow.commit()
    changes = await changes_since(events, connection, cursor)
    assert [told.job_id for told in changes] == [late, early]


async def test_an_older_transaction_that_writes_last_is_not_skipped(
    events: PostgresJobEvents, connection: psycopg.Connection, feed_url: str
) -> None:
    """The lower transaction number with the higher serial number."""
    cursor = await settled(events, connection)
    with psycopg.connect(feed_url) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        early = submit(connection)
        late = submit(slow, owner=BERT)
        slow.commit()
    after_both = submit(connection)
    changes = await changes_since(events, connection, cursor)
    assert [told.job_id for told in changes] == [late, early, after_both]
    assert [told.job_id for told in await changes_since(events, connection, changes[0].cursor)] == [
        early,
        after_both,
    ]


async def test_a_transaction_that_rolls_back_holds_nothing_up(
    events: PostgresJobEvents, connection: psycopg.Connection, feed_url: str
) -> None:
    cursor = await settled(events, connection)
    with psycopg.connect(feed_url) as slow:
        submit(slow, owner=BERT)
        kept = submit(connection)
        slow.rollback()
    assert [told.job_id for told in await changes_since(events, connection, cursor)] == [kept]


async def test_reading_in_steps_misses_nothing(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    cursor = await settled(events, connection)
    jobs = [submit(connection) for _ in range(7)]
    for job_id in jobs:
        change(connection, job_id, "rating = 3")
    await settled(events, connection)
    seen: list[UUID] = []
    while changes := await events.since(cursor, limit=3):
        assert len(changes) <= 3
        seen += [told.job_id for told in changes]
        cursor = changes[-1].cursor
    assert seen == jobs * 2


@pytest.mark.parametrize(
    ("moves", "visibility", "was"),
    [
        (["visibility = 'private'"], "private", "public"),
        (["visibility = 'team'", "visibility = 'private'"], "private", "public"),
        (["visibility = 'private'", "visibility = 'team'", "visibility = 'private'"], "private", "public"),
        (["title = 't'"], "public", None),
        (["deleted_at = now()"], "public", "public"),
        (["visibility = 'team'", "deleted_at = now()"], "team", "public"),
    ],
)
async def test_those_who_could_see_it_hear_of_it(
    events: PostgresJobEvents,
    connection: psycopg.Connection,
    moves: list[str],
    visibility: str,
    was: str | None,
) -> None:
    job_id = submit(connection, "public")
    cursor = await settled(events, connection)
    for move in moves:
        change(connection, job_id, move)
    (told,) = await changes_since(events, connection, cursor)
    assert (told.visibility, told.was_visibility) == (visibility, was)
    assert told.deleted == ("deleted_at = now()" in moves)


async def test_what_changes_no_card_is_no_change(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    job_id = submit(connection)
    cursor = await settled(events, connection)
    connection.execute(
        "INSERT INTO public.workflow_job_events (job_id, kind, data) VALUES (%s, 'output', '{}')", (job_id,)
    )
    assert await changes_since(events, connection, cursor) == []


async def test_a_deleted_account_takes_its_events_along(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    """Of its jobs only a word is left, for the pages that show them."""
    connection.execute("DELETE FROM public.workflow_jobs")
    cursor = await settled(events, connection)
    job = submit(connection)
    connection.execute("DELETE FROM public.workflow_jobs")
    assert connection.execute("SELECT FROM public.workflow_job_events").fetchall() == []
    (gone,) = await changes_since(events, connection, cursor)
    assert (gone.job_id, gone.user_id, gone.visibility, gone.deleted, gone.card) == (
        job, ANNA.user_id, "private", True, b"",
    )  # fmt: skip


async def test_whoever_could_see_a_job_hears_that_it_is_gone_for_good(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    """Also a page that missed all of it: shared, made private again, put into the trash and purged."""
    job = submit(connection, "public")
    cursor = await settled(events, connection)
    for assignment in ("visibility = 'private'", "status = 'cancelled'", "deleted_at = now()"):
        change(connection, job, assignment)
    connection.execute("DELETE FROM public.workflow_jobs WHERE id = %s", (job,))
    other = submit(connection)
    gone, new = await changes_since(events, connection, cursor)
    assert (gone.job_id, gone.deleted, gone.was_visibility) == (job, True, "public")
    assert new.job_id == other
    assert await changes_since(events, connection, gone.cursor) == [new], "a word has a cursor like any event"


@pytest.mark.parametrize(
    "cursor",
    ["", "-", "1", "1-", "-1", "a-b", "1-2-3", "1-2 ", " 1-2", "1.5-2", "-1--2", "99999999999999999999-1", "1-9999999999999999999",
     "9" * 1000, "１-２", "1-2\0", "9223372036854775807-1"],
)  # fmt: skip
async def test_a_broken_or_foreign_cursor(events: PostgresJobEvents, cursor: str) -> None:
    with pytest.raises(InvalidCursor):
        await events.since(cursor)


async def test_pruned_events_make_old_cursors_invalid(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    connection.execute("DELETE FROM public.workflow_jobs")
    beginning = await settled(events, connection)
    ended, waiting = submit(connection), submit(connection)
    change(connection, ended, "status = 'cancelled'")
    between = await settled(events, connection)
    connection.execute("UPDATE public.workflow_job_events SET at = at - interval '90 days'")
    fresh = submit(connection)

    assert await events.prune(datetime.now(UTC) - timedelta(days=30)) == 2
    assert await events.prune(datetime.now(UTC) - timedelta(days=30)) == 0

    with pytest.raises(InvalidCursor, match="reload"):
        await events.since(beginning)
    assert [told.job_id for told in await changes_since(events, connection, between)] == [fresh]
    left = connection.execute("SELECT DISTINCT job_id FROM public.workflow_job_events").fetchall()
    assert {job_id for (job_id,) in left} == {waiting, fresh}, "a job that still runs keeps its story"


async def test_a_mark_from_another_database_says_nothing(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    """A dump brings the old database's numbers along, which are far ahead of the new one's."""
    cursor = await settled(events, connection)
    with connection.transaction():
        (was,) = connection.execute("SELECT xid::text FROM rushes.pruned_events").fetchone() or ("0",)
    connection.execute("UPDATE rushes.pruned_events SET xid = '900000000000'")
    try:
        told = submit(connection)
        assert [each.job_id for each in await changes_since(events, connection, cursor)] == [told]
    finally:
        connection.execute("UPDATE rushes.pruned_events SET xid = %s::xid8", (was,))
