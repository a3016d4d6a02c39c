"""What a scrape costs beside 200,000 rows, nearly all of them finished."""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from rushes.adapters.metrics import PrometheusMetrics, PrometheusPage, TypeNames
from rushes.adapters.postgres.metrics import PostgresFigures
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.ports import Figures
from tests.integration.app.database import app_database
from tests.integration.feed.plans import explain

ROWS = (Path(__file__).parent.parent / "feed" / "many_jobs.sql").read_text().split(";\n\n")
# accounts and 200,000 jobs; the other tables of that file are beside the point
PEOPLE, JOBS = (
    next(one for one in ROWS if f"INTO {table} " in one) for table in ("auth.users", "public.workflow_jobs")
)
FINISHED = 190_000


@pytest.fixture(scope="module")
def many_url(postgres_server: str) -> Iterator[str]:
    with app_database(postgres_server) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute("drop index workflow_jobs_search, workflow_jobs_owner, workflow_jobs_type")
            for statement in (PEOPLE, JOBS.replace("'pending'", "'completed'")):
                connection.execute(statement.encode())
            connection.execute("vacuum analyze public.workflow_jobs")
        yield url


@pytest.mark.anyio
async def test_finished_rows_cost_nothing(many_url: str):
    types = TypeNames(lambda: ("img2img",))
    async with Database(many_url, max_size=2) as database:
        await database.fetch("select")  # connected
        times = []
        for _ in range(20):
            page = PrometheusPage(  # a new one has nothing kept
                metrics=PrometheusMetrics(types=types), types=types, store=PostgresFigures(database=database),
                version="0", feed_clients=lambda: 0, storage_free=lambda: None,
            )  # fmt: skip
            began = time.perf_counter()
            shown = await page.exposition()
            times.append(time.perf_counter() - began)
        assert b'rushes_jobs{status="processing"' in shown.body
    assert min(times) < 0.05, times  # the fastest: the machine has other work


def test_no_table_of_jobs_is_read_whole(many_url: str):
    with psycopg.connect(many_url) as connection:
        found = connection.execute("select count(*) from workflow_jobs where status = 'completed'").fetchone()
        assert found
        assert found[0] > FINISHED
        plan = explain(connection, query("metrics_figures"), {})
    assert "workflow_jobs" not in plan.read_whole
    assert "workflow_jobs_status" in plan.indexes


class SlowStore:
    """Counts how often it is asked."""

    def __init__(self, seconds: float = 0.0) -> None:
        self.asked = 0
        self._seconds = seconds

    async def figures(self) -> Figures:
        self.asked += 1
        await asyncio.sleep(self._seconds)
        return Figures(dispatchers=self.asked)


@pytest.mark.anyio
async def test_many_scrapers_ask_the_database_once():
    types = TypeNames(tuple)
    store = SlowStore(0.05)
    page = PrometheusPage(
        metrics=PrometheusMetrics(types=types), types=types, store=store, version="0", feed_clients=lambda: 0,
        storage_free=lambda: None,
    )  # fmt: skip
    shown = await asyncio.gather(*(page.exposition() for _ in range(20)))
    assert store.asked == 1
    assert {one.body.count(b"\nrushes_dispatchers 1.0\n") for one in shown} == {1}
