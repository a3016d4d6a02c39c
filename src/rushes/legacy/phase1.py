"""Phase 1: the old tables themselves get a type and an owner, for an app that can't move yet."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rushes.domain.errors import Conflict, Unavailable
from rushes.legacy.changes import refuse_foreign_views
from rushes.legacy.log import note
from rushes.legacy.queries import filled, query
from rushes.legacy.tables import shapes
from rushes.legacy.transfer import check
from rushes.ports.legacy import LegacyDatabase

BATCH = 500
ROUNDS = 3  # over rows that somebody was writing
GUARD = "zz_rushes_keep_updated_at"

Progress = Callable[[str, int, int], None]
"""Called with the table, the rows looked at, and about how many there are."""


@dataclass(frozen=True, slots=True)
class OldTable:
    """A table whose rows get a type."""

    name: str
    key: str
    rows: int
    stamped: bool


@dataclass(slots=True)
class Phase1:
    """What was, or with a dry run would be, done."""

    steps: list[tuple[str, str]] = field(default_factory=list)  # what, and the statement
    filled: dict[str, int] = field(default_factory=dict)
    later: dict[str, int] = field(default_factory=dict)  # rows that run, or that somebody was writing
    unknown: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "steps": [{"what": what, "statement": statement} for what, statement in self.steps],
            "filled": self.filled,
            "later": self.later,
            "unknown": self.unknown,
        }


async def phase1(
    database: LegacyDatabase,
    *,
    dry_run: bool = False,
    batch: int = BATCH,
    progress: Progress = lambda _table, _done, _total: None,
) -> Phase1:
    """Add what is missing, then fill `workflow_type`. Run again, it goes on where it was.

    Raises Unavailable when a lock can't be had, Conflict while another step is at work, or before anything is
    changed when there is no old table, or a column workflow_type that can't hold a type.
    """
    async with database.lock("phase1"):
        await _refuse(database)
        steps = [
            (str(what), str(statement)) for what, statement in await database.fetch(query("phase1_steps"))
        ]
        done = Phase1(steps=steps)
        if dry_run:
            return done
        await note(database, "phase1", "started", steps=[what for what, _ in steps])
        for what, statement in steps:
            await database.patiently(statement)
            await note(database, "phase1", "progressed", done=what)
        for table in [OldTable(*row) for row in await database.fetch(query("phase1_tables"))]:
            await _fill(database, table, done, batch, progress)
        await note(database, "phase1", "finished", **done.as_dict() | {"steps": len(steps)})
        return done


async def _refuse(database: LegacyDatabase) -> None:
    if await database.fetch(query("cutover_done")):
        raise Conflict(
            "Already cut over: what the old app writes becomes jobs, which have a type by themselves."
        )
    await refuse_foreign_views(database)
    check(await shapes(database))
    for table, why in await database.fetch(query("phase1_unfit")):
        raise Conflict(
            f"public.{table} has a column workflow_type already, {why}: it may refuse a workflow type. Nothing was "
            f"changed. Move it aside: ALTER TABLE public.{table} RENAME COLUMN workflow_type TO …."
        )


async def _fill(
    database: LegacyDatabase, table: OldTable, done: Phase1, batch: int, progress: Progress
) -> None:
    """The guard stays behind when we are killed: it acts for our own writes only, and the next run takes it away."""
    if table.stamped:
        await database.patiently(filled("phase1_guard", guard=GUARD, name=table.name))
    wrote_all = 0
    for _ in range(ROUNDS):
        wrote, later = await _pass(database, table, batch, progress)
        wrote_all += wrote
        if not wrote or not later:
            break
    if table.stamped:
        await _drop_guard(database, table)
    done.filled[table.name] = wrote_all
    done.later[table.name] = later
    done.unknown[table.name] = await _unknown(database, table) - later


async def _drop_guard(database: LegacyDatabase, table: OldTable) -> None:
    try:
        await database.patiently(filled("phase1_unguard", guard=GUARD, name=table.name), tries=10)
    except Unavailable:  # a long transaction is in the way
        await note(database, "phase1", "progressed", left_behind=f"trigger {GUARD} on {table.name}")


async def _pass(database: LegacyDatabase, table: OldTable, batch: int, progress: Progress) -> tuple[int, int]:
    after, seen, wrote_all, later = None, 0, 0, 0
    while True:
        rows = await database.fetch(
            query("phase1_fill"), {"table": table.name, "after": after, "batch": batch, "young": "24 hours"}
        )
        after, looked_at, wrote, left = rows[0]
        seen, wrote_all, later = seen + looked_at, wrote_all + wrote, later + left
        progress(table.name, seen, max(seen, table.rows))
        if looked_at < batch:
            return wrote_all, later


async def _unknown(database: LegacyDatabase, table: OldTable) -> int:
    rows = await database.fetch(filled("phase1_unknown", name=table.name))
    return int(rows[0][0])
