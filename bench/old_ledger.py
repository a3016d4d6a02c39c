"""The old app's ledger beside the database: what it reads back, and what became of it among the jobs."""

import asyncio
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

from bench.old_rows import TABLES
from bench.old_stories import KEYS, as_text
from rushes.adapters.postgres.legacy import open_legacy
from rushes.legacy.comparing import compared
from rushes.legacy.evidence import Evidence
from rushes.legacy.tables import UNITS, shapes

AT_ONCE = 5000  # rows that are looked at together


def compare_ledger(url: str, ledger: Path, *, jobs: bool) -> tuple[int, list[str]]:
    """How many rows the ledger has, and what differs; with `jobs`, from the row rules, too."""
    rows, wrong = 0, list[str]()
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("SET timezone = 'UTC'")
        for table in TABLES:
            with ledger.open() as file:
                must = (line for line in map(json.loads, file) if line[0] == table)
                while some := {key: row for _, key, row in islice(must, AT_ONCE)}:
                    rows += len(some)
                    wrong += _read_back(connection, table, some)
                    if jobs and table in UNITS:
                        wrong += asyncio.run(_as_jobs(url, table, some))
    return rows, wrong


def size_of(url: str) -> int:
    """The database's, in MB."""
    with psycopg.connect(url, autocommit=True) as connection:
        told = connection.execute("SELECT pg_database_size(current_database()) / 1048576").fetchone()
        assert told
        return int(told[0])


def _read_back(
    connection: psycopg.Connection[dict[str, Any]], table: str, must: dict[str, str | None]
) -> Iterator[str]:
    """What the old app would read, beside what it must be."""
    key = KEYS[table]
    kind = "varchar" if table == "multitalk_jobs" else "uuid"
    read = connection.execute(
        f"SELECT * FROM {table} WHERE {key} = ANY (%s::text[]::{kind}[])".encode(), [list(must)]
    ).fetchall()
    found = {str(row[key]): as_text(row) for row in read}
    for name, row in must.items():
        if found.get(name) != row:
            yield f"{table} {name} must be {row}, and is {found.get(name)}"


async def _as_jobs(url: str, table: str, must: dict[str, str | None]) -> list[str]:
    """What the rules, written again, say of these rows, beside their jobs."""
    async with open_legacy(url) as database:
        tables = await shapes(database)
        evidence = await Evidence.gathered(database, database, tables)
        shape = tables[table]
        within = f"t.{shape.key} = ANY (%(ids)s::text[]::{shape.key_type}[])"
        pairs = await evidence.pairs(database, database, table, within, {"ids": list(must)})
        wrong = [str(one.as_dict()) for unit, job in pairs for one in compared(unit, job)]
        there = {unit.row for unit, job in pairs if job}
        return wrong + [f"{table} {key}: no job" for key, row in must.items() if row and key not in there]
