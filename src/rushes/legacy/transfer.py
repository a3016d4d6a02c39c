"""Phase 3, `migrate`: old rows into workflow_jobs, in batches by key, while the old app keeps writing."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from rushes.domain.errors import Conflict, InvalidInput
from rushes.legacy.bulk import Bulk, Lane, together
from rushes.legacy.changes import catch_up, follow
from rushes.legacy.claimed import refuse_claimed
from rushes.legacy.log import note
from rushes.legacy.pace import Pace
from rushes.legacy.queries import filled, query
from rushes.legacy.sweep import sweep
from rushes.legacy.tables import UNITS, Shape, shapes
from rushes.ports.legacy import LegacyDatabase

BATCH_ROWS = 2000
BATCH_BYTES = 16 * 1024**2
WORKERS = 3
"""Connections that take rows in at the same time; the work is the server's."""
LOCK = "migrate"
_POLL_SECONDS = 0.5
_AGE_SECONDS = 60.0

Progress = Callable[[str, int, int], None]
"""Called with the table, the rows done, and how many there are."""
Owners = Mapping[tuple[str, str], UUID]
"""(old table, old id) → whose it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What the operator says."""

    stale_seconds: float = 24 * 3600
    visibility: str | None = None  # of jobs without an owner; None: as it was, at first private
    owners: Owners | None = None  # None: as it was
    batch_rows: int = BATCH_ROWS
    batch_bytes: int = BATCH_BYTES
    workers: int = WORKERS
    let_go: bool = False  # of many jobs whose rows are gone
    hurry: bool = False  # however long the old app's writes take


@dataclass(slots=True)
class Transfer:
    """What was done."""

    tables: dict[str, int] = field(default_factory=dict)  # rows looked at in this run
    written: int = 0
    followed: int = 0
    resumed: bool = False
    seconds: float = 0
    outcome: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        rows = sum(self.tables.values())
        return {
            "tables": self.tables,
            "rows": rows,
            "written": self.written,
            "followed": self.followed,
            "resumed": self.resumed,
            "seconds": round(self.seconds, 3),
            "rows_per_second": round(rows / self.seconds, 1) if self.seconds else None,
            **self.outcome,
        }


async def migrate(
    source: LegacyDatabase,
    target: LegacyDatabase,
    *,
    apart: bool,
    choices: Choices | None = None,
    progress: Progress = lambda _table, _done, _total: None,
) -> Transfer:
    """Take every row in; killed at any point and run again, it goes on where it was.

    `apart`: the old tables are in another database than the jobs. Raises Conflict while another run is at work,
    when a table can't be taken over, or when the rows of many jobs are gone; no job has been touched then.
    """
    chosen = choices or Choices()
    async with target.lock(LOCK):
        if await source.fetch(query("cutover_done")):
            return await _give_up(target, chosen)
        tables = await shapes(source)
        check(tables)
        done = Transfer()
        began = time.monotonic()
        await refuse_claimed(target, source, tables)
        await follow(source, tables)
        pace = Pace(source, target, hurry=chosen.hurry)
        await pace.begin()
        await sweep(target, source, tables, apart=apart, let_go=chosen.let_go, pace=pace)
        await _settle(target, chosen, done)
        async with _lanes(source, target, apart, chosen.workers) as lanes:

            async def take(some: Sequence[Lane], *names: str) -> None:
                for name in names:
                    if name in tables:
                        await _table(source, target, some, tables, name, chosen, pace, done, progress)

            # a prompt id is free for a style row only when all multitalk rows are here
            await take(lanes, "multitalk_jobs")
            # and prompt ids repeat in style_transfers: two batches at a time could both find theirs free
            if len(lanes) == 1:
                await take(lanes, *UNITS[1:])
            else:
                await together(
                    take(lanes[:1], "style_transfers"), take(lanes[1:], "edited_images", "datasets")
                )
        done.followed += await catch_up(target, source if apart else None, tables=tables, pace=pace)
        await _finish(target, done, time.monotonic() - began)
        return done


async def keep_following(
    source: LegacyDatabase, target: LegacyDatabase, *, apart: bool, tell: Callable[[int], None]
) -> None:
    """After `migrate`: follow every change, until cancelled."""
    async with target.lock(LOCK):
        await refuse_views(source)
        tables = await shapes(source)
        aged, pace = time.monotonic(), Pace(source, target)
        while True:
            more = await catch_up(target, source if apart else None, tables=tables, pace=pace)
            if more:
                tell(more)
            if time.monotonic() - aged > _AGE_SECONDS:
                await target.execute(query("choices_age"))
                await target.fetch(query("give_up"))
                aged = time.monotonic()
            await asyncio.sleep(_POLL_SECONDS)


async def plan(source: LegacyDatabase) -> dict[str, Any]:
    """What `migrate` would do, for --dry-run; changes nothing. Raises Conflict as `migrate` does."""
    tables = await shapes(source)
    check(tables)
    return {
        "tables": {name: await _count(source, tables[name]) for name in tables},
        "triggers_on": [tables[name].relation for name in tables],
    }


async def refuse_views(source: LegacyDatabase) -> None:
    """Raises Conflict after the cut-over."""
    if await source.fetch(query("cutover_done")):
        raise Conflict(
            "Already cut over: what the old app writes becomes jobs by itself. There is nothing to follow."
        )


def check(tables: Mapping[str, Shape]) -> None:
    """Raises Conflict when there is nothing to take over, or no way to."""
    if not tables:
        raise Conflict(
            "None of the old tables (multitalk_jobs, style_transfers, edited_images, datasets) is in this database: "
            "name the one that has them by --source."
        )
    for name, shape in tables.items():
        if shape.unusable:
            raise Conflict(
                f"{shape.relation} has no column {', '.join(shape.unusable)}, so {name} can't be taken over. Nothing "
                "was changed. Rename the column back, or move the table aside: ALTER TABLE … RENAME."
            )
    if "data" in tables and "datasets" not in tables:
        raise Conflict(
            "There is a table data, but no datasets that its rows belong to. Move data aside, or bring datasets back."
        )


async def _give_up(target: LegacyDatabase, chosen: Choices) -> Transfer:
    """After the cut-over every row is a job already; those that never ended are still to be called failed."""
    done = Transfer()
    params = {"stale_seconds": chosen.stale_seconds, "visibility": chosen.visibility}
    async with target.transaction():
        await target.execute(query("choices_put"), params)
        done.written = int((await target.fetch(query("give_up")))[0][0])
        done.outcome = (await target.fetch(query("outcome")))[0][0]
        await note(target, "migrate", "aged", written=done.written)
    return done


async def _settle(target: LegacyDatabase, chosen: Choices, done: Transfer) -> None:
    """Write down the operator's decisions; after a run that ended, begin again."""
    rows = await target.fetch(query("progress_state"), {"step": "migrate"})
    began, ended = rows[0]
    async with target.transaction():
        params = {"stale_seconds": chosen.stale_seconds, "visibility": chosen.visibility}
        await target.execute(query("choices_put"), params)
        if chosen.owners is not None:
            await _put_owners(target, chosen.owners)
        if ended:
            await target.execute(query("progress_reset"), {"step": "migrate"})
        done.resumed = began and not ended
        await note(
            target, "migrate", "resumed" if done.resumed else "started", stale_seconds=chosen.stale_seconds
        )


async def _put_owners(target: LegacyDatabase, owners: Owners) -> None:
    await target.execute(query("owners_gone"))
    rows = [(table, row, str(user)) for (table, row), user in owners.items()]
    strangers = await target.fetch(query("owners_unknown"), {"ids": sorted({user for _, _, user in rows})})
    if strangers:
        raise InvalidInput(
            {"owner-map": f"there is no account {strangers[0][0]}; `rushes users list` shows them"}
        )
    await target.copy_rows("rushes_legacy.owners (legacy_table, legacy_id, user_id)", rows)


async def _table(
    source: LegacyDatabase,
    target: LegacyDatabase,
    lanes: Sequence[Lane],
    tables: Mapping[str, Shape],
    name: str,
    chosen: Choices,
    pace: Pace,
    done: Transfer,
    progress: Progress,
) -> None:
    total = await _count(source, tables[name])
    asked = {"step": "migrate", "name": name}
    last, rows, finished = (await target.fetch(query("progress_get"), asked) or [(None, 0, False)])[0]
    progress(name, rows, total)
    done.tables[name] = 0
    if finished:
        return
    known = (await target.fetch(query("is_known"), {"name": name}))[0][0]
    bulk = Bulk(
        source=source,
        target=target,
        tables=tables,
        name=name,
        batch_rows=chosen.batch_rows,
        batch_bytes=chosen.batch_bytes,
        last=last,
        rows=rows,
        fresh=not known,
        pace=pace,
    )
    await bulk.run(lanes, lambda so_far: progress(name, so_far, max(total, so_far)))
    done.tables[name] = bulk.rows - rows
    done.written += bulk.written


@asynccontextmanager
async def _lanes(
    source: LegacyDatabase, target: LegacyDatabase, apart: bool, workers: int
) -> AsyncIterator[list[Lane]]:
    async with AsyncExitStack() as stack:
        yield [
            Lane(
                await stack.enter_async_context(source.another()) if apart else None,
                await stack.enter_async_context(target.another()),
            )
            for _ in range(workers)
        ]


async def _finish(target: LegacyDatabase, done: Transfer, seconds: float) -> None:
    done.written += int((await target.fetch(query("give_up")))[0][0])
    done.seconds = seconds
    done.outcome = (await target.fetch(query("outcome")))[0][0]
    async with target.transaction():
        await target.execute(query("progress_end"), {"step": "migrate"})
        await note(target, "migrate", "finished", **done.as_dict())


async def _count(source: LegacyDatabase, shape: Shape) -> int:
    return int((await source.fetch(filled("count", relation=shape.relation)))[0][0])
