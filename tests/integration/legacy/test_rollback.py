"""Back again: nothing written since is lost, and nothing is exchanged by halves."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg
import pytest

from rushes.domain.errors import Conflict
from tests.integration.legacy.old_app import Told, tell
from tests.integration.legacy.steps import TABLES, back, contents, cut, passed, rows, take_all, verified

SCRIPT = """
import asyncio, sys
from rushes.adapters.postgres.legacy import open_legacy
from rushes.legacy import rollback
from rushes.legacy.changes import drain
from rushes.legacy.cutover import Choices, cut_over
rollback.BATCH = 20
async def run():
    async with open_legacy(sys.argv[1]) as database:
        if sys.argv[2] == "cutover":
            await cut_over(database, choices=Choices(), drain=drain)
        else:
            await rollback.roll_back(database)
asyncio.run(run())
"""


@pytest.fixture
def cut_url(sample_url: str) -> str:
    take_all(sample_url)
    cut(sample_url)
    return sample_url


@contextmanager
def started(url: str, step: str) -> Iterator[subprocess.Popen[bytes]]:
    """The step in a process of its own, which is killed at the end of the block."""
    work = subprocess.Popen([sys.executable, "-c", SCRIPT, url, step])
    try:
        yield work
    finally:
        work.kill()
        work.wait()
        patiently(lambda: not rows(url, "SELECT 1 FROM pg_locks WHERE locktype = 'advisory'"))


def patiently(ready: Callable[[], object], seconds: float = 30) -> None:
    deadline = time.monotonic() + seconds
    while not ready():
        assert time.monotonic() < deadline, "it took too long"
        time.sleep(0.01)


def kinds(url: str) -> set[str]:
    found = rows(
        url,
        "SELECT relkind FROM pg_class WHERE relname = ANY (%s) AND relnamespace = 'public'::regnamespace",
        list(TABLES),
    )
    assert len(found) == 5
    return {row["relkind"] for row in found}


def test_killed_while_it_carries_back(cut_url: str) -> None:
    tell(cut_url, 3, chapters=6)
    with psycopg.connect(cut_url, autocommit=True) as app:
        app.execute("INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url)"
                    " SELECT 'many-' || n, 'submitted', n, n, 'c' FROM generate_series(1, 1000) AS n")  # fmt: skip
    [waiting] = rows(cut_url, "SELECT count(*) AS n FROM rushes_legacy.written")
    with started(cut_url, "rollback"):
        patiently(
            lambda: rows(cut_url, "SELECT count(*) AS n FROM rushes_legacy.written")[0]["n"] < waiting["n"]
        )
    assert kinds(cut_url) == {"v"}
    tell(cut_url, 4, chapters=2)  # the old app goes on
    before = contents(cut_url, Told())
    back(cut_url)
    assert kinds(cut_url) == {"r"}
    assert contents(cut_url, Told()) == before
    assert rows(cut_url, "SELECT 1 FROM rushes_legacy.written") == []


def test_killed_while_it_cuts_over(sample_url: str) -> None:
    take_all(sample_url)
    before = contents(sample_url, Told())
    for event in ("started", "progressed"):
        with started(sample_url, "cutover") as work:
            patiently(
                lambda event=event, work=work: (
                    work.poll() is not None  # type: ignore[misc]  # defaults bind the loop's
                    or rows(
                        sample_url,
                        "SELECT 1 FROM rushes_legacy.log WHERE step = 'cutover' AND event = %s",
                        event,
                    )
                )
            )
        assert len(kinds(sample_url)) == 1, "all or none"
        assert contents(sample_url, Told()) == before
    if kinds(sample_url) == {"r"}:
        cut(sample_url)
    assert kinds(sample_url) == {"v"}
    assert contents(sample_url, Told()) == before
    assert rows(sample_url, "SELECT 1 FROM pg_index WHERE NOT indisvalid") == []


def test_a_row_that_came_back_differently_stops_it(cut_url: str) -> None:
    rows(cut_url, "UPDATE multitalk_jobs SET width = 5 WHERE job_id = 'prompt-0016'")
    rows(cut_url, "UPDATE legacy_archive.style_transfers SET prompt = 'other' WHERE status = 'pending'")
    with pytest.raises(Conflict, match=r"000000000005 \(differs\)"):
        back(cut_url)
    assert kinds(cut_url) == {"v"}
    rows(cut_url, "UPDATE legacy_archive.style_transfers SET prompt = '' WHERE status = 'pending'")
    back(cut_url)


def test_a_view_that_somebody_built_on_a_view_stands_in_the_way(cut_url: str) -> None:
    rows(cut_url, "CREATE VIEW mine AS SELECT job_id FROM multitalk_jobs")
    with pytest.raises(psycopg.errors.DependentObjectsStillExist, match="mine"):
        back(cut_url)
    assert kinds(cut_url) == {"v"}
    rows(cut_url, "DROP VIEW mine")
    back(cut_url)


def test_there_and_back_and_there_again(cut_url: str) -> None:
    rows(cut_url, "UPDATE multitalk_jobs SET width = 5 WHERE job_id = 'prompt-0016'")
    back(cut_url)
    triggers = rows(cut_url, "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'O'")
    assert triggers == []
    # what the old app writes into its table is noted again, and followed
    rows(cut_url, "UPDATE multitalk_jobs SET height = 6 WHERE job_id = 'prompt-0016'")
    passed(cut_url)
    cut(cut_url)
    [row] = rows(cut_url, "SELECT width, height FROM multitalk_jobs WHERE job_id = 'prompt-0016'")
    assert (row["width"], row["height"]) == (5, 6)
    assert verified(cut_url).differences == []


def test_what_was_purged_among_the_jobs_stays_in_the_table(cut_url: str) -> None:
    rows(cut_url, "DELETE FROM workflow_jobs WHERE legacy_id = 'prompt-0016'")
    assert len(rows(cut_url, "SELECT 1 FROM multitalk_jobs")) == 15
    back(cut_url)
    assert len(rows(cut_url, "SELECT 1 FROM multitalk_jobs")) == 16


def test_what_is_in_the_trash_comes_back(cut_url: str) -> None:
    rows(cut_url, "UPDATE workflow_jobs SET deleted_at = now() WHERE legacy_id = 'prompt-0016'")
    assert len(rows(cut_url, "SELECT 1 FROM multitalk_jobs")) == 15
    back(cut_url)
    assert len(rows(cut_url, "SELECT 1 FROM multitalk_jobs")) == 16
