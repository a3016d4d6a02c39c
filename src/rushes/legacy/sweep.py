"""Jobs whose old row went while nobody noted it: a TRUNCATE, or a time without triggers."""

import re
from collections.abc import Mapping
from contextlib import nullcontext

from rushes.domain.errors import Conflict
from rushes.legacy.pace import Pace
from rushes.legacy.queries import filled, query
from rushes.legacy.tables import UNITS, Shape
from rushes.ports.legacy import LegacyStatements

SWEEP = "sweep"
"""Stands in rushes_legacy.changes in a table's place, with the table as its id."""
FEW = 100
SHARE = 0.1
"""Of a table's jobs: more than that don't go on their own."""
_BATCH, _GENTLE_BATCH = 5000, 1000
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


async def sweep(
    target: LegacyStatements,
    source: LegacyStatements,
    tables: Mapping[str, Shape],
    *,
    apart: bool,
    let_go: bool = False,
    pace: Pace | None = None,
) -> int:
    """Note every job that no old row stands behind, for `drain` to let go; how many. The triggers stand by now.

    With a `pace` in small steps while the old app writes. Raises Conflict when that are so many that it may be the
    wrong database, unless `let_go`.
    """
    noted = 0
    async with source.transaction():
        for name in UNITS:
            if name not in tables:
                continue
            gone = await look_through(target, source, tables, name, apart=apart, pace=pace)
            if gone > FEW and not let_go:
                await _doubt(target, tables[name], gone)
            noted += gone
    return noted


async def _doubt(target: LegacyStatements, shape: Shape, gone: int) -> None:
    jobs = int((await target.fetch(query("sweep_jobs"), {"name": shape.name}))[0][0])
    if gone > jobs * SHARE:
        raise Conflict(
            f"{gone:,} of the {jobs:,} jobs from {shape.name} have no row in {shape.relation} any more. Nothing was "
            "changed. Is this the right --source? If those rows were deleted, --let-go deletes their jobs."
        )


async def look_through(
    target: LegacyStatements,
    source: LegacyStatements,
    tables: Mapping[str, Shape],
    name: str,
    *,
    apart: bool,
    pace: Pace | None = None,
) -> int:
    """Note every job of the table that no old row stands behind; of emptied items, all datasets. How many."""
    if name == "data":
        sets = tables.get("datasets")
        return await source.execute(filled("sweep_datasets", relation=sets.relation)) if sets else 0
    if name not in tables or name not in UNITS:
        return 0
    shape = tables[name]
    if apart or (pace and pace.is_gentle):
        return await _compare(target, source, shape, pace)
    return await source.execute(filled("sweep_here", name=name, relation=shape.relation, key=shape.key))


async def _compare(
    target: LegacyStatements, source: LegacyStatements, shape: Shape, pace: Pace | None
) -> int:
    last: str | None = None
    noted = 0
    while True:
        async with pace.step(rest=1.0) if pace else nullcontext(False) as gentle:
            asked = {"name": shape.name, "after": last, "most": _GENTLE_BATCH if gentle else _BATCH}
            ids = [row for (row,) in await target.fetch(query("sweep_ids"), asked)]
            if not ids:
                return noted
            gone = sorted(set(ids) - await present(source, shape, ids))
            noted += await source.execute(query("sweep_note"), {"name": shape.name, "ids": gone})
            last = ids[-1]


async def present(source: LegacyStatements, shape: Shape, ids: list[str]) -> set[str]:
    """Which of these ids are in the table."""
    # what the key's type can't be is nobody's id
    likely = [row for row in ids if shape.key_type != "uuid" or _UUID.fullmatch(row)]
    within = f"t.{shape.key} = ANY (%(ids)s::text[]::{shape.key_type}[])"
    places = {"key": shape.key, "relation": shape.relation, "range": within}
    return {row for (row,) in await source.fetch(filled("ids_of", **places), {"ids": likely})}
