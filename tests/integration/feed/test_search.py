"""The search box: words, "phrases", -exclusions and beginnings; nothing that is typed is an error."""

import json
from datetime import UTC, datetime

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rushes.adapters.postgres.reader import PostgresJobReader
from rushes.ports import JobQuery
from tests.integration.feed.people import ANNA, BERT
from tests.integration.feed.rows import Row, add_rows

pytestmark = pytest.mark.anyio

TEXTS = {
    "knight": ("The Red Knight", "a knight in red armour, 35mm, <lora:armor_v2:0.8>"),
    "sync": (None, "lip-sync of a woman; see https://example.com/a_b?c=1 (take 2)"),
    "umlaut": ("Grüße", "ein Mädchen, 東京タワー, кошка"),
    "quotes": (None, "it's 100% \"quoted\" & 'odd' \\ back | slash"),
    "long": (None, "z" * 3000 + " tail"),
    "nothing": (None, None),
}


@pytest.fixture(scope="module")
def named_ids(feed_url: str) -> dict[str, str]:
    rows = {name: Row(owner=ANNA, title=title, prompt_text=text) for name, (title, text) in TEXTS.items()}
    with psycopg.connect(feed_url) as connection:
        add_rows(connection, [*rows.values(), Row(owner=BERT, prompt_text="a private knight")])
    return {str(row.id): name for name, row in rows.items()}


CASES = {
    "red knight": {"knight"},
    "RED": {"knight"},
    "kni": {"knight"},  # the last word may be a beginning
    "kni red": set(),  # only the last
    '"red armour"': {"knight"},
    '"armour red"': set(),
    '"red arm"': set(),  # nothing is a beginning inside quotes
    '"red armour': {"knight"},  # a quote that is still open
    "knight -red": set(),
    "-knight": set(TEXTS) - {"knight"},
    '-"lip sync" a': {"knight"},
    "lip-sync": {"sync"},
    "lip": {"sync"},
    "sync": {"sync"},
    "lora": {"knight"},
    "armor_v2": {"knight"},
    "armor": {"knight"},
    "35mm": {"knight"},
    "example": {"sync"},
    "example.com": {"sync"},
    "grüße": {"umlaut"},
    "Mädch": {"umlaut"},
    "東京": {"umlaut"},
    "кошка": {"umlaut"},
    "it's": {"quotes"},
    "100%": {"quotes"},
    "quoted odd": {"quotes"},
    "z" * 3000: {"long"},  # PostgreSQL doesn't index a word of 3,000 letters ...
    "tail": {"long"},
    "🎨": set(),
    "%": set(),
    "nowhere": set(),
    "": set(TEXTS),
    "  ": set(TEXTS),
    '"': set(TEXTS),
    "-": set(TEXTS),
}
CASES["z" * 3000] = set()  # ... so that it can't be found, but is no error either


@pytest.mark.parametrize("typed", CASES, ids=lambda typed: typed[:20] or "empty")
async def test_search_finds(reader: PostgresJobReader, named_ids: dict[str, str], typed: str) -> None:
    page = await reader.page(ANNA, JobQuery(q=typed, scope="mine"))
    assert {named_ids[card["id"]] for card in json.loads(page.data)} == CASES[typed]


async def test_the_end_of_a_very_long_prompt_is_not_searched(
    reader: PostgresJobReader, feed_url: str
) -> None:
    with psycopg.connect(feed_url) as connection:
        add_rows(connection, [Row(owner=BERT, prompt_text="filler " * 200_000 + "beyond")])
    for typed, there in (("filler", 1), ("beyond", 0)):
        page = await reader.page(BERT, JobQuery(q=typed, scope="mine"))
        assert len(json.loads(page.data)) == there


HOSTILE = st.text(max_size=40) | st.text(
    st.sampled_from(list("'\"\\&|!():*<->%_${}[];- \t\n\0a1é🎨\ud800")), max_size=40
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(typed=HOSTILE)
async def test_nothing_typed_is_an_error(
    reader: PostgresJobReader, named_ids: dict[str, str], typed: str
) -> None:
    query = JobQuery(q=typed, tag=typed, job_id=typed, workflow_types=(typed,), kinds=(typed,))
    assert json.loads((await reader.page(ANNA, query)).data) == []
    page = await reader.page(ANNA, JobQuery(q=typed))
    assert {card["id"] for card in json.loads(page.data)} <= set(named_ids)


@pytest.mark.parametrize(
    "typed", ["' || a", "a' | 'b", "x\\", "!" * 500, "a " * 5000, '"' * 999, "\0", "(((" * 400]
)
async def test_operators_of_tsquery_are_only_marks(
    reader: PostgresJobReader, named_ids: dict[str, str], typed: str
) -> None:
    await reader.page(ANNA, JobQuery(q=typed))
    await reader.counts(ANNA, JobQuery(q=typed))


async def test_absurd_numbers_and_days_are_no_error(
    reader: PostgresJobReader, named_ids: dict[str, str]
) -> None:
    first, last = datetime(1, 1, 2, tzinfo=UTC), datetime(9999, 12, 30, tzinfo=UTC)
    everything = await reader.page(
        ANNA, JobQuery(rating_min=-(10**12), created_after=first, created_before=last)
    )
    assert json.loads(everything.data) == []  # nothing is rated
    assert json.loads((await reader.page(ANNA, JobQuery(created_after=first, created_before=last))).data)
    assert not json.loads((await reader.page(ANNA, JobQuery(rating_min=10**12))).data)
    assert not json.loads((await reader.page(ANNA, JobQuery(created_before=first))).data)
