"""Every mix of filters against the naive model."""

import json
import random
from dataclasses import replace
from datetime import datetime, timedelta

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rushes.adapters.postgres.reader import PostgresJobReader
from rushes.domain.principal import Principal
from rushes.ports import JobQuery
from tests.integration.feed.model import chosen, counted
from tests.integration.feed.people import EVERYBODY, NAMES, PEOPLE
from tests.integration.feed.rows import NOON, Row, add_rows

pytestmark = pytest.mark.anyio

TYPES = ("img2img", "image-edit", "wan-i2v")
STATUSES = ("pending", "processing", "completed", "failed", "cancelled")
WORDS = ("cat", "cathedral", "red", "green", "boat")
TAGS = ("keep", "draft", "two words")
KINDS = ("image", "video", "audio", "text")


def made_rows() -> list[Row]:
    dice = random.Random(7)
    return [
        Row(
            owner=dice.choice(PEOPLE),
            created_at=NOON + timedelta(hours=8 * n, minutes=dice.randrange(400)),
            workflow_type=dice.choice(TYPES),
            status=dice.choice((*STATUSES, "completed", "completed")),
            visibility=dice.choice(("private", "private", "team", "public")),
            kinds=tuple(dice.sample(KINDS[:3], dice.randrange(3))),
            texts=("a caption",) if dice.random() < 0.2 else (),
            title=" ".join(dice.choices(WORDS, k=2)) if dice.random() < 0.3 else None,
            prompt_text=" ".join(dice.choices(WORDS, k=4)) if dice.random() < 0.9 else None,
            rating=dice.choice((None, None, 0, 3, 5)),
            tags=tuple(dice.sample(TAGS, dice.choice((0, 0, 1, 2)))),
            deleted=dice.random() < 0.15,
        )
        for n in range(150)
    ]


ROWS = made_rows()


@pytest.fixture(scope="module", autouse=True)
def _rows(feed_url: str) -> None:
    with psycopg.connect(feed_url) as connection:
        add_rows(connection, ROWS)


def some(values: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.just(()) | st.lists(st.sampled_from(values), min_size=1, max_size=3, unique=True).map(tuple)


def moments() -> st.SearchStrategy[datetime | None]:
    exact = st.sampled_from(ROWS).map(lambda row: row.created_at)
    return (
        st.none()
        | st.none()
        | exact
        | st.integers(-10, 1300).map(lambda hours: NOON + timedelta(hours=hours))
    )


def searches() -> st.SearchStrategy[str | None]:
    word = st.sampled_from(WORDS)
    phrase = st.tuples(word, word).map(lambda two: f'"{two[0]} {two[1]}"')
    beginning = st.sampled_from(("c", "cat", "gre", "re", "boat"))
    terms = st.lists(word | phrase | word.map(lambda one: f"-{one}"), max_size=2)
    # the model takes terms apart at two blanks
    return st.none() | st.tuples(terms, beginning).map(lambda parts: "  ".join([*parts[0], parts[1]]))


QUERIES = st.builds(
    JobQuery,
    scope=st.sampled_from(("mine", "all")),
    workflow_types=some(TYPES),
    statuses=some(STATUSES),
    kinds=some(KINDS),
    q=searches(),
    tag=st.none() | st.none() | st.sampled_from((*TAGS, "absent")),
    rating_min=st.none() | st.none() | st.integers(0, 6),
    job_id=st.none() | st.none() | st.none() | st.sampled_from(ROWS).map(lambda row: f"prompt-{row.id}")
    | st.sampled_from(ROWS).map(lambda row: str(row.id)),
    created_after=moments(),
    created_before=moments(),
    trash=st.sampled_from((False, False, False, True)),
    limit=st.sampled_from((1, 7, 200)),
    after=st.none() | st.none() | st.sampled_from(ROWS).map(lambda row: row.id),
)  # fmt: skip

sized = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@sized
@given(query=QUERIES, principal=st.sampled_from(EVERYBODY))
async def test_a_page_is_what_the_model_chooses(
    reader: PostgresJobReader, query: JobQuery, principal: Principal
) -> None:
    page = await reader.page(principal, query)
    expected = chosen(principal, query, ROWS)
    here = expected[: query.limit]
    assert [card["id"] for card in json.loads(page.data)] == [str(row.id) for row in here]
    assert page.last_id == (here[-1].id if here else None)
    assert page.has_more == (len(expected) > query.limit)


@sized
@given(query=QUERIES, principal=st.sampled_from(EVERYBODY))
async def test_chips_count_what_the_model_counts(
    reader: PostgresJobReader, query: JobQuery, principal: Principal
) -> None:
    counts = json.loads(await reader.counts(principal, query))
    assert counts == counted(principal, replace(query, after=None), ROWS)


@pytest.mark.parametrize("principal", EVERYBODY, ids=NAMES)
async def test_without_filters_each_sees_what_the_rule_shows(
    reader: PostgresJobReader, principal: Principal
) -> None:
    page = await reader.page(principal, JobQuery(limit=200))
    expected = chosen(principal, JobQuery(), ROWS)
    assert expected, "the rows must let everybody see something"
    assert [card["id"] for card in json.loads(page.data)] == [str(row.id) for row in expected]
