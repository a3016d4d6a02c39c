"""Pages while jobs arrive: nobody sees a job twice, nor misses one that was there."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import psycopg
import pytest

from rushes.adapters.postgres.reader import PostgresJobReader
from rushes.domain.principal import Principal
from rushes.ports import JobQuery, Page
from tests.integration.feed.people import ANNA, BERT
from tests.integration.feed.rows import NOON, Row, add_rows

pytestmark = pytest.mark.anyio

SHARED = ("private", "team", "public")


async def pages(reader: PostgresJobReader, principal: Principal, query: JobQuery) -> AsyncIterator[Page]:
    values = {name: getattr(query, name) for name in JobQuery.__slots__}
    page = await reader.page(principal, query)
    yield page
    while page.has_more:
        page = await reader.page(principal, JobQuery(**values | {"after": page.last_id}))
        yield page


@pytest.mark.parametrize("scope", ["mine", "all"])
@pytest.mark.parametrize("q", [None, "boat"])
async def test_pages_without_gaps_while_rows_arrive(
    reader: PostgresJobReader, feed_url: str, scope: str, q: str | None
) -> None:
    with psycopg.connect(feed_url, autocommit=True) as connection:
        before = [
            Row(owner=(ANNA, BERT)[n % 2], visibility=SHARED[n % 3], prompt_text="a boat") for n in range(90)
        ]  # all of one moment: only the id can order them
        add_rows(connection, before)
        expected = {
            str(row.id)
            for row in before
            if row.owner is ANNA or (scope == "all" and row.visibility != "private")
        }
        seen: list[str] = []
        async for page in pages(reader, ANNA, JobQuery(scope=scope, q=q, limit=7)):
            seen += [card["id"] for card in json.loads(page.data)]
            late = NOON + timedelta(days=1, seconds=len(seen))
            add_rows(connection, [Row(owner=ANNA, created_at=late, prompt_text="a boat")])
        assert len(seen) == len(set(seen))
        assert seen == sorted(seen, reverse=True)
        assert expected <= set(seen)


async def test_the_last_page_says_so(reader: PostgresJobReader, feed_url: str) -> None:
    rows = [Row(owner=ANNA, workflow_type="six", kinds=("image",)) for _ in range(6)]
    with psycopg.connect(feed_url) as connection:
        add_rows(connection, rows)
    ids = [str(row.id) for row in reversed(rows)]
    told = [
        ([card["id"] for card in json.loads(page.data)], page.has_more)
        async for page in pages(reader, ANNA, JobQuery(workflow_types=("six",), limit=3))
    ]
    assert told == [(ids[:3], True), (ids[3:], False)]
    empty = await reader.page(ANNA, JobQuery(workflow_types=("six",), after=rows[0].id))
    assert (empty.data, empty.last_id, empty.has_more) == (b"[]", None, False)


async def test_counts_stop_at_their_cap(reader: PostgresJobReader, feed_url: str) -> None:
    with psycopg.connect(feed_url) as connection:
        add_rows(connection, [Row(owner=BERT, workflow_type="many") for _ in range(1001)])
    counts = json.loads(await reader.counts(BERT, JobQuery(scope="mine", workflow_types=("many",))))
    assert counts["workflow_type"]["many"] == counts["total"] == {"count": 1000, "more": True}
    others = [chip for name, chip in counts["workflow_type"].items() if name != "many"]
    assert others
    assert not any(chip["more"] for chip in others)
