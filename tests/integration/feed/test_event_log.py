"""The event log: whatever is committed is there at once, nothing skipped, nothing twice."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from uuid import UUID

import psycopg
import pytest

from rushes.adapters.postgres.events import PostgresJobEvents
from rushes.adapters.postgres.pool import Database
from rushes.domain.errors import InvalidCursor
from rushes.domain.feed_cursor import FeedCursor
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


async def new(events: PostgresJobEvents, cursor: FeedCursor) -> list[FeedChange]:
    return list((await events.since(cursor)).changes)


async def test_a_change_comes_once_with_its_card(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    cursor = await events.head()
    first, second = submit(connection), submit(connection, "team")
    change(connection, first, "title = 'mine'")
    changes = await new(events, cursor)
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
    assert [again.card for again in await new(events, changes[0].cursor)] == [told.card]
    assert await new(events, told.cursor) == []


async def test_a_transaction_that_commits_late_is_not_skipped(
    events: PostgresJobEvents, connection: psycopg.Connection, feed_url: str
) -> None:
    cursor = await events.head()
    with psycopg.connect(feed_url) as slow:
        late = submit(slow, owner=BERT)  # the lower serial number, still open (two of one person would queue)
        early = submit(connection)  # the higher one, committed
        page = await events.since(cursor)
        assert [told.job_id for told in page.changes] == [early], "nobody waits for the other"
        slow.commit()
    for seen in (page.cursor, FeedCursor.parse(str(page.cursor)), page.changes[0].cursor):
        assert [told.job_id for told in await new(events, seen)] == [late]
    assert [told.job_id for told in await new(events, cursor)] == [late, early]


async def test_an_older_transaction_that_writes_last_is_not_skipped(
    events: PostgresJobEvents, connection: psycopg.Connection, feed_url: str
) -> None:
    """The lower transaction number with the higher serial number."""
    cursor = await events.head()
    with psycopg.connect(feed_url) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        early = submit(connection)
        late = submit(slow, owner=BERT)
        slow.commit()
    after_both = submit(connection)
    changes = await new(events, cursor)
    assert [told.job_id for told in changes] == [late, early, after_both]
    assert [told.job_id for told in await new(events, changes[0].cursor)] == [
        early,
        after_both,
    ]


async def test_a_transaction_that_rolls_back_holds_nothing_up(
    events: PostgresJobEvents, connection: psycopg.Connection, feed_url: str
) -> None:
    cursor = await events.head()
    with psycopg.connect(feed_url) as slow:
        submit(slow, owner=BERT)
        kept = submit(connection)
        slow.rollback()
    assert [told.job_id for told in await new(events, cursor)] == [kept]


async def test_reading_in_steps_misses_nothing(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    cursor = await events.head()
    jobs = [submit(connection) for _ in range(7)]
    for job_id in jobs:
        change(connection, job_id, "rating = 3")
    seen: list[UUID] = []
    page = await events.since(cursor, limit=3)
    while page.changes:
        assert len(page.changes) <= 3
        seen += [told.job_id for told in page.changes]
        assert page.more == (len(seen) < 14)
        page = await events.since(page.cursor, limit=3)
    assert seen == jobs * 2


async def test_a_transaction_that_is_larger_than_a_page(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    cursor = await events.head()
    with connection.transaction():
        jobs = [submit(connection) for _ in range(7)]
    seen: list[UUID] = []
    for _ in range(4):
        page = await events.since(FeedCursor.parse(str(cursor)), limit=2)
        seen += [told.job_id for told in page.changes]
        cursor = page.cursor
    assert seen == jobs
    assert not page.more


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
    cursor = await events.head()
    for move in moves:
        change(connection, job_id, move)
    (told,) = await new(events, cursor)
    assert (told.visibility, told.was_visibility) == (visibility, was)
    assert told.deleted == ("deleted_at = now()" in moves)


async def test_what_changes_no_card_is_no_change(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    job_id = submit(connection)
    cursor = await events.head()
    connection.execute(
        "INSERT INTO public.workflow_job_events (job_id, kind, data) VALUES (%s, 'output', '{}')", (job_id,)
    )
    assert await new(events, cursor) == []


async def test_a_deleted_account_takes_its_events_along(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    """Of its jobs only a word is left, for the pages that show them."""
    connection.execute("DELETE FROM public.workflow_jobs")
    cursor = await events.head()
    job = submit(connection)
    connection.execute("DELETE FROM public.workflow_jobs")
    assert connection.execute("SELECT FROM public.workflow_job_events").fetchall() == []
    (gone,) = await new(events, cursor)
    assert (gone.job_id, gone.user_id, gone.visibility, gone.deleted, gone.card) == (
        job, ANNA.user_id, "private", True, b"",
    )  # fmt: skip


async def test_whoever_could_see_a_job_hears_that_it_is_gone_for_good(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    """Also a page that missed all of it: shared, made private again, put into the trash and purged."""
    job = submit(connection, "public")
    cursor = await events.head()
    for assignment in ("visibility = 'private'", "status = 'cancelled'", "deleted_at = now()"):
        change(connection, job, assignment)
    connection.execute("DELETE FROM public.workflow_jobs WHERE id = %s", (job,))
    other = submit(connection)
    gone, fresh = await new(events, cursor)
    assert (gone.job_id, gone.deleted, gone.was_visibility) == (job, True, "public")
    assert fresh.job_id == other
    assert [told.job_id for told in await new(events, gone.cursor)] == [other], (
        "a word has a cursor like any event"
    )


@pytest.mark.parametrize(
    "cursor",
    ["9999999999999999999:", "9223372036854775807:1", "9223372036854775807:1.999999999999999999"],
)
async def test_a_cursor_of_another_database(events: PostgresJobEvents, cursor: str) -> None:
    with pytest.raises(InvalidCursor, match="another database"):
        await events.since(FeedCursor.parse(cursor))
    await events.since(FeedCursor(1, {9999999999999999999: 999999999999999999}))  # nonsense, and no error


async def test_pruned_events_make_old_cursors_invalid(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    connection.execute("DELETE FROM public.workflow_jobs")
    beginning = await events.head()
    ended, waiting = submit(connection), submit(connection)
    change(connection, ended, "status = 'cancelled'")
    between = await events.head()
    while between.open:  # another database's transaction: what it wrote may be pruned, for all this one knows
        between = await events.head()
    connection.execute("UPDATE public.workflow_job_events SET at = at - interval '90 days'")
    fresh = submit(connection)

    assert await events.prune(datetime.now(UTC) - timedelta(days=30)) == 2
    assert await events.prune(datetime.now(UTC) - timedelta(days=30)) == 0

    with pytest.raises(InvalidCursor, match="reload"):
        await events.since(beginning)
    assert [told.job_id for told in await new(events, between)] == [fresh]
    left = connection.execute("SELECT DISTINCT job_id FROM public.workflow_job_events").fetchall()
    assert {job_id for (job_id,) in left} == {waiting, fresh}, "a job that still runs keeps its story"


async def test_a_new_cursor_is_good_whoever_has_a_transaction_open(
    events: PostgresJobEvents, connection: psycopg.Connection, feed_url: str
) -> None:
    """One that is older than what was pruned."""
    connection.execute("DELETE FROM public.workflow_jobs")
    with psycopg.connect(feed_url) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        before = await events.head()
        ended = submit(connection)
        change(connection, ended, "status = 'cancelled'")
        connection.execute("UPDATE public.workflow_job_events SET at = at - interval '90 days'")
        assert await events.prune(datetime.now(UTC) - timedelta(days=30)) == 2
        with pytest.raises(InvalidCursor, match="too old"):
            await events.since(before)
        cursor = await events.head()
        fresh = submit(connection)
        assert [told.job_id for told in await new(events, cursor)] == [fresh]


async def test_a_mark_from_another_database_says_nothing(
    events: PostgresJobEvents, connection: psycopg.Connection
) -> None:
    """A dump brings the old database's numbers along, which are far ahead of the new one's."""
    cursor = await events.head()
    with connection.transaction():
        (was,) = connection.execute("SELECT xid::text FROM rushes.pruned_events").fetchone() or ("0",)
    connection.execute("UPDATE rushes.pruned_events SET xid = '900000000000'")
    try:
        told = submit(connection)
        assert [each.job_id for each in await new(events, cursor)] == [told]
    finally:
        connection.execute("UPDATE rushes.pruned_events SET xid = %s::xid8", (was,))
