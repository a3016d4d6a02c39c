"""Cut-over: the old tables step aside, and views with their names stand in their place."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from rushes.domain.errors import Conflict, InvalidRequest, Unavailable
from rushes.legacy.log import last, note
from rushes.legacy.queries import query
from rushes.ports.legacy import LegacyDatabase, LegacyStatements

# Five tables are locked one after the other, and whoever writes waits meanwhile: together well below a second.
LOCK_SECONDS = 0.12
SWAP_MILLISECONDS = 600
LOCKED_SECONDS = 0.7
FEW = 50  # changes
TRIES = 240
PAUSE_SECONDS = 0.5
VERIFIED_HOURS = 24.0

Drain = Callable[[LegacyStatements], Awaitable[int]]
"""Follows every change of the old tables that is noted; how many there were."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Choices:
    """What the operator says."""

    app_role: str = "service_role"
    allow_anon: bool = False
    accept: frozenset[str] = frozenset()  # names of obstacles, or `all`
    verified_hours: float = VERIFIED_HOURS


@dataclass(slots=True)
class Cutover:
    """What is in the way, what would be done, and what was done."""

    obstacles: list[tuple[str, str]] = field(default_factory=list)
    indexes: list[tuple[str, str]] = field(default_factory=list)
    views: list[str] = field(default_factory=list)  # their definitions, with a dry run
    tables: list[str] = field(default_factory=list)
    drained: int = 0
    tries: int = 0
    locked_seconds: float = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "tables": self.tables,
            "obstacles": [{"name": name, "what": what} for name, what in self.obstacles],
            "indexes": [name for name, _ in self.indexes],
            "views": self.views,
            "drained": self.drained,
            "tries": self.tries,
            "locked_seconds": round(self.locked_seconds, 3),
        }


async def cut_over(
    database: LegacyDatabase,
    *,
    choices: Choices,
    drain: Drain,
    dry_run: bool = False,
    tell: Tell = lambda _: None,
) -> Cutover:
    """Prepare without a lock, then exchange tables and views in one short transaction.

    Raises Conflict when something is in the way, InvalidRequest when the role is unknown, Unavailable when the
    tables couldn't be locked.
    """
    async with database.lock("migrate"):
        done = await _plan(database)
        if dry_run:
            return done
        await _check(database, choices, done)
        await note(database, "cutover", "started", app_role=choices.app_role, allow_anon=choices.allow_anon)
        await _build_indexes(database, done, tell)
        while await drain(database) > FEW:  # under the lock, only the last ones are left
            pass
        await _swap(database, choices, drain, done, tell)
        await database.execute("ANALYZE public.workflow_jobs, public.caption_dataset_items")
        await note(database, "cutover", "finished", **done.as_dict())
        return done


async def _plan(database: LegacyStatements) -> Cutover:
    rows = await database.fetch(query("cutover_tables"))
    tables, views = rows[0]
    if views:
        raise Conflict(f"Already cut over: {', '.join(views)} are views. `rushes legacy rollback` goes back.")
    if not tables:
        raise Conflict("There is no old table here: `rushes legacy inspect` says what it looks for.")
    return Cutover(
        obstacles=[(str(name), str(what)) for name, what in await database.fetch(query("cutover_obstacles"))],
        indexes=[(str(name), str(how)) for name, how in await database.fetch(query("cutover_indexes"))],
        views=[str(text) for (text,) in await database.fetch(query("cutover_views"))],
        tables=list(tables),
    )


async def _check(database: LegacyStatements, choices: Choices, done: Cutover) -> None:
    if not await database.fetch(query("cutover_role"), {"role": choices.app_role}):
        raise InvalidRequest(f"There is no role {choices.app_role}: name the old app's with --app-role.")
    left = [(name, what) for name, what in done.obstacles if not choices.accept & {name, "all"}]
    if left:
        listed = "\n".join(f"  {name}: {what}" for name, what in left)
        raise Conflict(f"In the way (--accept NAME goes on without it):\n{listed}")
    taken = [name for (name,) in await database.fetch(query("cutover_taken"))]
    if taken:
        raise Conflict(
            f"The schema legacy_archive, where the old tables go, has {', '.join(taken)} already. Move that aside: "
            f"ALTER TABLE legacy_archive.{taken[0]} SET SCHEMA …, or RENAME TO …."
        )
    unnoted = [name for (name,) in await database.fetch(query("cutover_unnoted"))]
    if unnoted:
        raise Conflict(
            f"Nobody notes what the old app changes in {', '.join(unnoted)}: its triggers (rushes_note_…) are missing "
            "or disabled. Run `rushes legacy migrate` and `rushes legacy verify` again."
        )
    await require_verified(database, choices.verified_hours)


async def require_verified(database: LegacyStatements, hours: float) -> None:
    """Raises Conflict unless `verify` has passed within these hours, and nothing failed since."""
    passed = await last(database, "verify", "passed")
    failed = await last(database, "verify", "failed")
    if passed is None or (failed is not None and failed["age_seconds"] < passed["age_seconds"]):
        raise Conflict("`rushes legacy verify` has not passed: run it first, and look at what it names.")
    if passed["age_seconds"] > hours * 3600:
        raise Conflict(f"`rushes legacy verify` passed more than {hours:g} hours ago: run it again.")


async def _build_indexes(database: LegacyDatabase, done: Cutover, tell: Tell) -> None:
    for name, statement in done.indexes:
        tell(f"Index {name}")
        await database.execute(statement)
    if done.indexes:
        await note(database, "cutover", "progressed", indexes=[name for name, _ in done.indexes])


async def _swap(database: LegacyDatabase, choices: Choices, drain: Drain, done: Cutover, tell: Tell) -> None:
    for attempt in range(1, TRIES + 1):
        done.tries = attempt
        try:
            await _swap_once(database, choices, drain, done)
            return
        except Unavailable:
            if attempt == TRIES:
                raise
            if attempt % 20 == 0:
                tell(
                    f"The tables are in use: try {attempt} of {TRIES}. Long transactions of the old app are in the way."
                )
            await asyncio.sleep(PAUSE_SECONDS)


async def _swap_once(database: LegacyDatabase, choices: Choices, drain: Drain, done: Cutover) -> None:
    began = time.monotonic()
    async with database.transaction(lock_seconds=LOCK_SECONDS) as inside:
        await inside.fetch(query("cutover_lock"))
        await inside.execute(f"SET LOCAL statement_timeout = {SWAP_MILLISECONDS}")
        done.drained = 0
        while followed := await drain(inside):
            done.drained += followed
            if time.monotonic() - began > LOCKED_SECONDS:
                raise Unavailable(
                    "The old app writes faster than its changes can be followed: try when it is quieter."
                )
        params = {"role": choices.app_role, "anon": choices.allow_anon}
        await inside.fetch(query("cutover_swap"), params)
        await note(inside, "cutover", "swapped", tables=done.tables, drained=done.drained)
    done.locked_seconds = time.monotonic() - began
