"""`verify`: every old row has exactly one job, and every value of it is what the rules, written again, say."""

import asyncio
import gc
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from rushes.legacy.changes import catch_up
from rushes.legacy.comparing import Difference, compared
from rushes.legacy.evidence import BATCH_ROWS, UUID, Evidence, Found, Unit
from rushes.legacy.log import note
from rushes.legacy.pace import Pace
from rushes.legacy.queries import filled, query
from rushes.legacy.tables import UNITS, Shape, shapes
from rushes.legacy.transfer import Progress, check
from rushes.ports.legacy import LegacyDatabase

EXAMPLES = 1000
"""Differences that are named one by one; beyond it they are only counted."""
_ROUNDS = 6
_DOUBTFUL = 20_000  # rows of a table that are looked at again
_PAUSE_SECONDS = 0.5
_FOLLOW_SECONDS = 0.05  # a little at a time: the old app waits for the log that it makes
_WORTH_SHARING = 20_000  # rows of a table

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

    def take(self, part: "Verification") -> None:
        """Add what another process found."""
        for name, rows in part.rows.items():
            self.rows[name] = self.rows.get(name, 0) + rows
        self.wanted += part.wanted
        self.different += part.different
        self.differences += part.differences[: EXAMPLES - len(self.differences)]

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


Share = Mapping[str, tuple[str | None, str | None]]
"""Of each table: the key after which it begins, and the last key; None: from the beginning, to the end."""


@dataclass(slots=True)
class Part:
    """What comparing a share gave; the old app may just have written what is doubtful."""

    found: Verification = field(default_factory=Verification)
    doubtful: dict[str, list[str]] = field(default_factory=dict)


Elsewhere = Callable[[Share], Awaitable[Part]]
"""Compares a share in another process."""


async def verify(
    source: LegacyDatabase,
    target: LegacyDatabase,
    *,
    apart: bool,
    each: Each | None = None,
    also: Callable[[Verification], Awaitable[None]] | None = None,
    elsewhere: Elsewhere | None = None,
    processes: int = 1,
    hurry: bool = False,
    pause_seconds: float = _PAUSE_SECONDS,
    progress: Progress = lambda _table, _done, _total: None,
) -> Verification:
    """Compare every row, while the old app may go on writing; `also` may add differences of its own.

    The rows are shared among so many processes, of which this is one; `each` sees only its share. In a `hurry` the
    old app isn't spared.
    Raises Conflict when there are no old tables.
    """
    tables = await shapes(source)
    check(tables)
    done = Verification()
    began = time.monotonic()
    await _drained(source, target, apart)
    first, *others = await shares(source, tables, processes if elsewhere else 1)
    running = [asyncio.ensure_future(elsewhere(share)) for share in others] if elsewhere else []
    try:
        async with _following(source, target, apart, tables):
            mine = compare(
                source, target, first, each=each, progress=progress, processes=processes, hurry=hurry
            )
            parts = [await mine]
            parts += [await part for part in running]
    finally:
        for one in running:
            one.cancel()
    for part in parts:
        done.take(part.found)
    doubtful = {name: [row for part in parts for row in part.doubtful.get(name, ())] for name in UNITS}
    await _again(source, target, apart, tables, doubtful, done, pause_seconds)
    await _extra(source, target, apart, tables, done)
    if also:
        await also(done)
    done.seconds = time.monotonic() - began
    summary = {key: value for key, value in done.as_dict().items() if key not in ("differences", "by")}
    await note(target, "verify", "passed" if done.right else "failed", **summary)
    return done


async def shares(source: LegacyDatabase, tables: Mapping[str, Shape], parts: int) -> list[Share]:
    """The old tables cut into so many parts of about the same size."""
    cuts: dict[str, list[str | None]] = {}
    for name, shape in tables.items():
        total = await _count(source, shape)
        cuts[name] = [None]
        for number in range(1, parts if total >= _WORTH_SHARING else 1):
            place = {"place": total * number // parts}
            rows = await source.fetch(filled("verify_cut", key=shape.key, relation=shape.relation), place)
            cuts[name].append(rows[0][0] if rows else None)
        cuts[name].append(None)
    # a small table is the first one's alone
    return [
        {name: (keys[number], keys[number + 1]) for name, keys in cuts.items() if number + 1 < len(keys)}
        for number in range(parts)
    ]


async def compare(
    source: LegacyDatabase,
    target: LegacyDatabase,
    share: Share,
    *,
    each: Each | None = None,
    progress: Progress = lambda _table, _done, _total: None,
    processes: int = 1,
    hurry: bool = False,
) -> Part:
    """Compare the rows of a share; so many processes have one."""
    tables, pace = await shapes(source), Pace(source, target, hurry=hurry)
    await pace.begin()
    evidence = await Evidence.gathered(source, target, tables)
    part = Part()
    with _uncollected():
        for name in UNITS:
            if name in tables and name in share:
                total = await _count(source, tables[name])
                part.doubtful[name] = []
                part.found.rows[name] = 0
                async for unit, found in evidence.rows(source, target, name, *share[name], pace, processes):
                    _compare(part, unit, found)
                    if each:
                        each(unit, found)
                    seen = part.found.rows[name]
                    if seen % 1000 == 0:
                        progress(name, min(seen * processes, total), total)
                progress(name, total, total)
    return part


@contextmanager
def _uncollected() -> Iterator[None]:
    """Rows come and go without cycles, and the collector's looking for some took a sixth of the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _compare(part: Part, unit: Unit, found: Found | None) -> None:
    part.found.rows[unit.table] += 1
    part.found.wanted[unit.table, unit.wanted["workflow_type"], unit.wanted["status"]] += 1
    if found and unit.table != "datasets" and found.is_as(unit):
        return
    differences = list(compared(unit, found))
    if differences and len(part.doubtful[unit.table]) < _DOUBTFUL:
        part.doubtful[unit.table].append(unit.row)
        return
    for difference in differences:
        part.found.add(difference)


async def _count(source: LegacyDatabase, shape: Shape) -> int:
    return int((await source.fetch(filled("count", relation=shape.relation)))[0][0])


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
    source: LegacyDatabase,
    target: LegacyDatabase,
    apart: bool,
    tables: Mapping[str, Shape],
    done: Verification,
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
            for row in await _without_row(source, target, apart, tables.get(name), name, ids):
                done.add(Difference(name, row, "row", None, "a job"))


async def _without_row(
    source: LegacyDatabase,
    target: LegacyDatabase,
    apart: bool,
    shape: Shape | None,
    name: str,
    ids: list[str],
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
    # the old app may just have deleted them: their jobs go with them, once that is followed
    await _drained(source, target, apart)
    left = await target.fetch(query("verify_jobs"), {"name": name, "ids": gone})
    return [str(row[0]) for row in left]


@asynccontextmanager
async def _following(
    source: LegacyDatabase, target: LegacyDatabase, apart: bool, tables: Mapping[str, Shape]
) -> AsyncIterator[None]:
    """What the old app writes meanwhile is followed, so that little is doubtful in the end."""
    async with source.another() as old, target.another() as new:
        following = asyncio.create_task(_keep_drained(old, new, apart, tables))
        try:
            yield
        finally:
            following.cancel()
            # what went wrong goes wrong once more when the doubtful rows are looked at
            await asyncio.gather(following, return_exceptions=True)


async def _keep_drained(
    source: LegacyDatabase, target: LegacyDatabase, apart: bool, tables: Mapping[str, Shape]
) -> None:
    pace = Pace(source, target)
    while True:
        await asyncio.sleep(_FOLLOW_SECONDS)
        await _drained(source, target, apart, tables, pace)


async def _drained(
    source: LegacyDatabase,
    target: LegacyDatabase,
    apart: bool,
    tables: Mapping[str, Shape] | None = None,
    pace: Pace | None = None,
) -> None:
    if (await source.fetch(query("changes_noted")))[0][0]:
        await catch_up(target, source if apart else None, tables=tables, pace=pace)
