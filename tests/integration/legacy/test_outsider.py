"""The row rules as an outsider read them, at their borders: what was wrong once, and what a change might break."""

import csv
from pathlib import Path

import psycopg
import pytest

from rushes.domain.errors import Conflict
from rushes.legacy.inspect import inspect
from rushes.legacy.transfer import migrate
from tests.integration.legacy.steps import cut, passed, take_all, verified
from tests.integration.legacy.taking import READ, both, everything, taken

pytestmark = pytest.mark.anyio
FOLDER = Path(__file__).parent / "outsider"
UNDATED, DATED = "da000000-0000-4000-8000-0000000000a1", "da000000-0000-4000-8000-0000000000a2"
REDATED = (
    f"INSERT INTO data (dataset_id, image_url, image_name, created_at) VALUES ('{UNDATED}', '', 'c', '2025-01-01Z')",
    f"UPDATE data SET created_at = '2025-06-01Z' WHERE image_name = 'a' AND dataset_id = '{UNDATED}'",
    f"UPDATE data SET dataset_id = '{DATED}' WHERE image_name = 'a' AND dataset_id = '{UNDATED}'",
    f"DELETE FROM data WHERE dataset_id = '{UNDATED}'",
    f"UPDATE datasets SET created_at = '2025-05-01Z' WHERE id = '{DATED}'",
    f"UPDATE datasets SET created_at = NULL WHERE id = '{DATED}'",
    "UPDATE multitalk_jobs SET timestamp_submitted = '2025-05-01Z'",
)


def fill(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute((FOLDER / "rows.sql").read_bytes())


def expected() -> list[tuple[str, ...]]:
    with (FOLDER / "expected.csv").open(newline="", encoding="utf-8") as file:
        return sorted(tuple(row) for row in list(csv.reader(file))[1:])


@pytest.mark.parametrize("rows", [1, 1000])
async def test_each_border_is_where_the_rules_say(empty_url: str, rows: int) -> None:
    fill(empty_url)
    await taken(empty_url, batch_rows=rows)
    with psycopg.connect(empty_url) as connection:
        assert sorted(connection.execute(READ).fetchall()) == expected()
    before = everything(empty_url)
    assert (await taken(empty_url, batch_rows=7)).written == 0
    assert everything(empty_url) == before


def test_verify_has_the_same_borders(empty_url: str) -> None:
    fill(empty_url)
    take_all(empty_url)
    assert not verified(empty_url).differences


@pytest.fixture
def dated_url(empty_url: str) -> str:
    """Rows whose jobs have their moments from elsewhere."""
    with psycopg.connect(empty_url, autocommit=True) as app:
        app.execute(
            """INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url, created_at, timestamp_submitted)
               VALUES ('null', 'completed', 1, 1, 'c', NULL, '2025-01-01Z'), ('never', 'error', 1, 1, 'c', 'infinity', '2025-01-01Z')"""
        )
        for dataset, at in ((UNDATED, None), (DATED, "2025-01-01Z")):
            app.execute(
                "INSERT INTO datasets (id, name, character_trigger, settings, created_at) VALUES (%s, 'x', '', '{}', %s)",
                (dataset, at),
            )
            app.execute(
                """INSERT INTO data (dataset_id, image_url, image_name, created_at)
                   VALUES (%(id)s, '', 'a', '2025-03-01Z'), (%(id)s, '', 'b', '2025-04-01Z')""",
                {"id": dataset},
            )
    take_all(empty_url)
    return empty_url


@pytest.mark.parametrize("after_cutover", [False, True], ids=["tables", "views"])
def test_a_job_has_the_id_of_its_moment_whenever_that_is_told(dated_url: str, after_cutover: bool) -> None:
    if after_cutover:
        passed(dated_url)
        cut(dated_url)
    for statement in REDATED:
        with psycopg.connect(dated_url, autocommit=True) as app:
            app.execute(statement.encode())
        if not after_cutover:
            take_all(dated_url)
        assert not verified(dated_url).differences, statement


async def test_an_attempt_by_hand_is_named_before_anything_is_touched(sample_url: str) -> None:
    prompts = ["0a6f1c1e-5b0e-4a55-9f3e-000000000003", "1b000000-0000-4000-8000-000000000002"]
    with psycopg.connect(sample_url, autocommit=True) as connection:
        for job in (*prompts, "somebody-else's"):
            connection.execute(
                """INSERT INTO workflow_jobs (id, job_id, workflow_type, workflow_name, status, inputs, result_urls)
                   VALUES (gen_random_uuid(), %s, 'lipsync-one', 'x', 'pending', '{}', '[]')""",
                (job,),
            )
        async with both(sample_url) as (source, target):
            assert [
                one for one in (await inspect(source)).problems if all(prompt in one for prompt in prompts)
            ]
            with pytest.raises(Conflict, match=", ".join(prompts)):
                await migrate(source, target, apart=False)
        assert connection.execute("SELECT count(*) FROM workflow_jobs").fetchone() == (3,)
        connection.execute("DELETE FROM workflow_jobs WHERE job_id = ANY (%s)", (prompts,))
    await taken(sample_url)
    assert len(everything(sample_url)) == 31
