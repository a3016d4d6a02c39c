"""Prompt ids that several old rows have, written through the views by two at once: never an error, and the same jobs
as if one had come after the other."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from rushes.adapters.postgres.migrations import migrate
from tests.integration.legacy.conftest import load_legacy
from tests.integration.legacy.steps import cut, rows, take_all, verified
from tests.postgres import drop_database, fresh_database, template_database


def _cut(url: str) -> None:
    asyncio.run(migrate(url))
    load_legacy(url)
    take_all(url)
    cut(url)


@pytest.fixture(scope="session")
def cut_template(postgres_server: str) -> str:
    return template_database(postgres_server, "rushes_legacy_cut", _cut)


@pytest.fixture
def cut_url(postgres_server: str, cut_template: str) -> Iterator[str]:
    url = fresh_database(postgres_server, template=cut_template)
    yield url
    drop_database(url)


def style(name: str, prompt: str) -> str:
    return (
        "INSERT INTO style_transfers (source_image_url, style_image_url, prompt, comfyui_prompt_id)"
        f" VALUES ('s', 's', '{name}', '{prompt}')"
    )


def gone(name: str) -> str:
    return f"DELETE FROM style_transfers WHERE prompt = '{name}'"


def talk(job_id: str) -> str:
    return (
        "INSERT INTO multitalk_jobs (job_id, status, width, height, comfy_url)"
        f" VALUES ('{job_id}', 'submitted', 1, 2, 'http://c')"
    )


@pytest.mark.parametrize(
    ("before", "first", "second"),
    [
        ([], style("a", "p"), style("b", "p")),
        ([], talk("p"), style("b", "p")),
        ([], style("b", "p"), talk("p")),
        ([style("a", "p")], gone("a"), style("b", "p")),
        ([style("a", "p"), style("b", "p")], gone("a"), style("c", "p")),
        ([style("a", "p"), style("b", "p")], gone("a"), gone("b")),
        ([talk("p")], "DELETE FROM multitalk_jobs WHERE job_id = 'p'", style("b", "p")),
        ([style("a", "p")], "UPDATE style_transfers SET status = 'failed'", style("b", "p")),
        ([style("a", "p")], "UPDATE style_transfers SET status = 'failed'", talk("p")),
        (
            [style("a", "p")],
            "UPDATE style_transfers SET comfyui_prompt_id = 'q' WHERE prompt = 'a'",
            style("b", "p"),
        ),
        (
            [style("a", "p"), style("b", "q")],
            "UPDATE style_transfers SET comfyui_prompt_id = 'q' WHERE prompt = 'a'",
            "UPDATE style_transfers SET comfyui_prompt_id = 'p' WHERE prompt = 'b'",
        ),
    ],
)
def test_two_at_once(cut_url: str, before: list[str], first: str, second: str) -> None:
    for statement in before:
        rows(cut_url, statement)
    with (
        psycopg.connect(cut_url) as one,
        psycopg.connect(cut_url, autocommit=True) as two,
        ThreadPoolExecutor(1) as pool,
    ):
        one.execute(first.encode())
        later = pool.submit(two.execute, second.encode())
        until_waiting(cut_url, two.info.backend_pid, later)
        one.commit()
        later.result(20)
    stale = rows(cut_url, "SELECT id FROM style_transfers WHERE prompt = 'a' AND status <> 'failed'")
    assert ("failed" in first) <= (stale == [])
    assert verified(cut_url).differences == []


def until_waiting(url: str, pid: int, done: Future[Any]) -> None:
    end = time.monotonic() + 10
    with psycopg.connect(url, autocommit=True) as connection:
        while not done.done() and time.monotonic() < end:
            [(waits,)] = connection.execute(
                "SELECT wait_event_type IS NOT DISTINCT FROM 'Lock' FROM pg_stat_activity WHERE pid = %s",
                [pid],
            ).fetchall()
            if waits:
                return
            time.sleep(0.01)


def test_a_statement_may_write_any_number_of_them(cut_url: str) -> None:
    rows(
        cut_url,
        "INSERT INTO style_transfers (source_image_url, style_image_url, prompt, comfyui_prompt_id)"
        " SELECT 's', 's', 'many', 'many-' || n / 2 FROM generate_series(1, 400) AS n",
    )
    [held] = rows(
        cut_url,
        "SELECT count(*) AS n FROM pg_locks AS l JOIN pg_database AS d ON d.oid = l.database"
        " WHERE l.locktype = 'advisory' AND d.datname = current_database()",
    )
    assert held["n"] == 0
    rows(cut_url, "DELETE FROM style_transfers WHERE prompt = 'many' AND comfyui_prompt_id < 'many-3'")
    assert verified(cut_url).differences == []
