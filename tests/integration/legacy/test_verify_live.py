"""verify while the old app writes: what has just changed is followed before it is called wrong."""

import asyncio

import psycopg
import pytest

from rushes.legacy.evidence import Found, Unit
from rushes.legacy.verify import verify
from tests.integration.legacy.old_app import running
from tests.integration.legacy.taking import both, taken

pytestmark = pytest.mark.anyio


async def test_a_row_that_goes_before_it_is_compared_takes_its_job_along(sample_url: str) -> None:
    await taken(sample_url)
    gone: list[int] = []

    def delete(unit: Unit, _: Found | None) -> None:
        if unit.table == "multitalk_jobs" and not gone:  # the first table that is compared
            with psycopg.connect(sample_url, autocommit=True) as app:
                gone.append(app.execute("DELETE FROM edited_images WHERE prompt = 'brighter'").rowcount)

    async with both(sample_url) as (old, new):
        done = await verify(old, new, apart=False, each=delete, pause_seconds=0)
    assert gone == [1]
    assert done.right, done.differences


async def test_it_ends_while_the_old_app_never_stops(sample_url: str) -> None:
    await taken(sample_url)
    with running(sample_url, rate=300, people=6) as load:
        async with asyncio.timeout(20), both(sample_url) as (old, new):
            done = await verify(old, new, apart=False)
        assert done.right, done.differences
        written = len(load.latencies)
        async with asyncio.timeout(5):
            while len(load.latencies) == written:  # it is still at it
                await asyncio.sleep(0.01)
    assert load.errors == []
