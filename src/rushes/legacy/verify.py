"""`verify`: every old row has exactly one job, and every value of it is what the rules, written again, say."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from rushes.legacy.changes import drain
from rushes.legacy.comparing import Difference, compared
from rushes.legacy.evidence import UUID, Evidence, Found, Unit
from rushes.legacy.log import note
from rushes.legacy.queries import filled, query
from rushes.legacy.tables import UNITS, Shape, shapes
from rushes.legacy.transfer import Progress, check
from rushes.ports.legacy import LegacyDatabase

BATCH_ROWS = 1000
BATCH_BYTES = 16 * 1024**2
EXAMPLES = 1000
"""Differences that are named one by one; beyond it they are only counted."""
_ROUNDS = 6
_DOUBTFUL = 20_000  # rows of a table that are looked at again
_PAUSE_SECONDS = 0.5

Each = Callable[[Unit, Found | None], None]
"""Called with every old row and what became of it."""


@dataclass(slots=True)
class Verification:
    """What was compared, and what is different."""

    rows: dict[str, int] = field(default_factory=dict)
    jobs: dict[str, int] = field(default_factory=dict)
    wanted: Counter[tuple[str, str, str]] = field(default_factory=Counter)  # table, type, status
    differences: list[Difference] = field(default_factory=list)
    different: Counter[str] = field(default_factory=Counter)  # by field
    seconds: float = 0
    files: dict[str, int] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        return not self.different

    def add(self, difference: Difference) -> None:
        self.different[difference.field] += 1
        if len(self.differences) < EXAMPLES:
            self.differences.append(difference)

    def as_dict(self) -> dict[str, Any]:
        rows = sum(self.rows.values())
        return {
            "right": self.right,
            "rows": self.rows,
            "jobs": self.jobs,
            "by": [
                {"table": table, "type": kind, "status": status, "count": count}
                for (table, kind, status), count in sorted(self.wanted.items())
            ],
            "different": dict(self.different),
            "differences": [one.as_dict() for one in self.differences],
            "files": self.files,
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(rows / self.seconds, 1) if self.seconds else None,
        }


async def verify(
    source: LegacyDatabase,
    target: LegacyDatabase,
    *,
    apart: bool,
    each: Each | None = None,
    also: Callable[["Verification"], Awaitable[None]] | None = None,
    pause_seconds: float = _PAUSE_SECONDS,
    progress: Progress = lambda _table, _done, _total: None,
) -> Verification:
    """Compare every row, while the old app may go on writing; `also` may add differences of its own.

    Raises Conflict when there are no old tables.
    """
    tables = await shapes(source)
    check(tables)
    done = Verification()
    began = time.monotonic()
    await _drained(source, target, apart)
    evidence = await Evidence.gathered(source, target, tables)
    doubtful: dict[str, list[str]] = {}
    for name in UNITS:
        if name in tables:
            doubtful[name] = await _table(source, target, evidence, name, done, each, progress)
    await _again(source, target, apart, tables, doubtful, done, pause_seconds)
    await _extra(source, target, tables, done)
    if also:
        await also(done)
    done.seconds = time.monotonic() - began
    summary = {key: value for key, value in done.as_dict().items() if key not in ("differences", "by")}
    await note(target, "verify", "passed" if done.right else "failed", **summary)
    return done


async def _table(
    source: LegacyDatabase,
    target: LegacyDatabase,
    evidence: Evidence,
    name: str,
    done: Verification,
    each: Each | None,
    progress: Progress,
) -> list[str]:
    """The ids of rows that looked different: the old app may just have written them."""
    shape = evidence.tables[name]
    total = int((await source.fetch(filled("count", relation=shape.relation)))[0][0])
    doubtful: list[str] = []
    last: str | None = None
    done.rows[name] = 0
    while True:
        after = "true" if last is None else f"t.{shape.key} > %(after)s::{shape.key_type}"
        bounds = await source.fetch(
            filled("batch_bounds", key=shape.key, relation=shape.relation, size=shape.size, range=after),
            {"after": last, "most": BATCH_ROWS, "bytes": BATCH_BYTES},
        )
        if not bounds:
            return doubtful
        within = f"{after} AND t.{shape.key} <= %(last)s::{shape.key_type}"
        params = {"after": last, "last": bounds[0][0]}
        for unit, found in await evidence.pairs(source, target, name, within, params):
            done.rows[name] += 1
            done.wanted[name, unit.wanted["workflow_type"], unit.wanted["status"]] += 1
            differences = list(compared(unit, found))
            if differences and len(doubtful) < _DOUBTFUL:
                doubtful.append(unit.row)
            else:
                for difference in differences:
                    done.add(difference)
            if each:
                each(unit, found)
        last = bounds[0][0]
        progress(name, done.rows[name], max(total, done.rows[name]))


async def _again(
    source: LegacyDatabase,
    target: LegacyDatabase,
    apart: bool,
    tables: Mapping[str, Shape],
    doubtful: Mapping[str, list[str]],
    done: Verification,
    pause_seconds: float,
) -> None:
    """Look once more at what differed, until it doesn't or stays: what was just written needs to be followed first."""
    left = {name: ids for name, ids in doubtful.items() if ids}
    found: list[Difference] = []
    for attempt in range(_ROUNDS):
        if not left:
            return
        if attempt:
            await asyncio.sleep(pause_seconds)
        await _drained(source, target, apart)
        evidence = await Evidence.gathered(source, target, tables)
        before, found, still = found, [], {}
        for name, ids in left.items():
            shape = tables[name]
            still[name] = set[str]()
            for some in _portions(ids):
                within = f"t.{shape.key} = ANY (%(ids)s::text[]::{shape.key_type}[])"
                for unit, job in await evidence.pairs(source, target, name, within, {"ids": some}):
                    for difference in compared(unit, job):
                        found.append(difference)
                        still[name].add(unit.row)
        left = {name: sorted(ids) for name, ids in still.items() if ids}
        if attempt and found == before:
            break
    for difference in found:
        done.add(difference)


def _portions(ids: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(ids), BATCH_ROWS):
        yield ids[start : start + BATCH_ROWS]


async def _extra(
    source: LegacyDatabase, target: LegacyDatabase, tables: Mapping[str, Shape], done: Verification
) -> None:
    """Jobs that no old row stands behind."""
    for name, jobs in await target.fetch(query("verify_counts")):
        done.jobs[str(name)] = int(jobs)
        if jobs == done.rows.get(name, 0) and name in tables:
            continue
        last: str | None = None
        while ids := [
            row for (row,) in await target.fetch(query("verify_batch"), {"name": name, "after": last})
        ]:
            last = ids[-1]
            for row in await _without_row(source, target, tables.get(name), name, ids):
                done.add(Difference(name, row, "row", None, "a job"))


async def _without_row(
    source: LegacyDatabase, target: LegacyDatabase, shape: Shape | None, name: str, ids: list[str]
) -> list[str]:
    there: set[str] = set()
    if shape:
        # what the key's type can't be is nobody's id
        likely = [row for row in ids if shape.key_type != "uuid" or UUID.fullmatch(row)]
        within = f"t.{shape.key} = ANY (%(ids)s::text[]::{shape.key_type}[])"
        places = {"key": shape.key, "relation": shape.relation, "range": within}
        there = {row for (row,) in await source.fetch(filled("ids_of", **places), {"ids": likely})}
    gone = sorted(set(ids) - there)
    if not gone:
        return []
    # the old app may just have deleted them, and the job with them
    left = await target.fetch(query("verify_jobs"), {"name": name, "ids": gone})
    return [str(row[0]) for row in left]


async def _drained(source: LegacyDatabase, target: LegacyDatabase, apart: bool) -> None:
    if (await source.fetch("SELECT to_regclass('rushes_legacy.changes') IS NOT NULL"))[0][0]:
        while await drain(target, source if apart else None):
            pass
