"""What the tests of a takeover share: running steps, and reading what came of them."""

import csv
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import psycopg

from rushes.adapters.postgres.legacy import PostgresLegacy, open_legacy
from rushes.legacy.transfer import Choices, Transfer, migrate
from tests.integration.legacy.conftest import DATA

READ = """
    SELECT legacy_table, legacy_id, workflow_type, metadata->'legacy'->>'type_rule', status, coalesce(error_code, ''),
           job_id, coalesce(comfy_url, ''), CASE WHEN completed_at IS NULL THEN 'no' ELSE 'yes' END,
           coalesce(processing_time_seconds::text, ''), coalesce(metadata->'legacy'->>'result_kind', ''),
           array_to_string(array(SELECT jsonb_array_elements_text(metadata->'legacy'->'anomalies')), '|')
    FROM workflow_jobs WHERE origin = 'legacy' ORDER BY legacy_table, legacy_id"""
WHOLE = """
    SELECT to_jsonb(j) FROM workflow_jobs AS j ORDER BY id"""
SETS = """
    SELECT to_jsonb(d) || jsonb_build_object('items', (
        SELECT coalesce(jsonb_agg(to_jsonb(i) ORDER BY i.position), '[]') FROM caption_dataset_items AS i WHERE i.dataset_id = d.id))
    FROM caption_datasets AS d ORDER BY d.id"""


def expected() -> list[tuple[str, ...]]:
    with (DATA / "expected.csv").open(newline="", encoding="utf-8") as file:
        return sorted(tuple(row) for row in list(csv.reader(file))[1:])


def jobs(url: str) -> list[tuple[str, ...]]:
    """The jobs of a takeover, as expected.csv has them."""
    with psycopg.connect(url) as connection:
        return sorted(connection.execute(READ).fetchall())


def everything(url: str) -> list[Any]:
    """Every column of every job, dataset and item."""
    with psycopg.connect(url) as connection:
        connection.execute("SET timezone = 'UTC'")
        return [row for (row,) in connection.execute(WHOLE)] + [row for (row,) in connection.execute(SETS)]


@asynccontextmanager
async def both(
    target: str, source: str | None = None
) -> AsyncIterator[tuple[PostgresLegacy, PostgresLegacy]]:
    """Connections to the source and the target."""
    async with open_legacy(source or target) as old, open_legacy(target) as new:
        yield old, new


async def taken(target: str, source: str | None = None, **choices: Any) -> Transfer:
    """Run migrate."""
    async with both(target, source) as (old, new):
        return await migrate(old, new, apart=source is not None, choices=Choices(**choices))
