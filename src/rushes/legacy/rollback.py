"""Undo: what was written through the views goes back into the old tables, and they take their names back."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rushes.domain.errors import Conflict, Unavailable
from rushes.legacy.cutover import LOCK_SECONDS, PAUSE_SECONDS, SWAP_MILLISECONDS, TRIES
from rushes.legacy.log import note
from rushes.legacy.queries import query
from rushes.ports.legacy import LegacyDatabase, LegacyStatements

BATCH = 1000
NAMED = 20  # differences that are told one by one


@dataclass(slots=True)
class Rollback:
    """What was carried back."""

    views: list[str] = field(default_factory=list)
    waiting: int = 0
    carried: int = 0
    tries: int = 0
    locked_seconds: float = 0

    def as_dict(self) -> dict[str, Any]:
        return {
            "tables": self.views,
            "waiting": self.waiting,
            "carried": self.carried,
            "tries": self.tries,
            "locked_seconds": round(self.locked_seconds, 3),
        }


async def roll_back(
    database: LegacyDatabase,
    *,
    dry_run: bool = False,
    progress: Callable[[str, int, int], None] = lambda _name, _done, _total: None,
) -> Rollback:
    """Carry back while the app goes on, compare everything, then exchange views and tables in one transaction.

    Raises Conflict when nothing is cut over, the tables are gone, or a row came back differently; Unavailable when
    the views couldn't be locked.
    """
    async with database.lock("migrate"):
        done = await _state(database)
        if dry_run:
            return done
        await note(database, "rollback", "started", waiting=done.waiting)
        while carried := await _carry(database):
            done.carried += carried
            progress("changes", done.carried, max(done.carried, done.waiting))
        await compare(database, done.views, "rollback")
        await _swap(database, done)
        await note(database, "rollback", "finished", **done.as_dict())
        return done


async def compare(database: LegacyStatements, names: list[str], step: str) -> None:
    """Every archived row with its view's, for `rollback` or `archive`. Raises Conflict."""
    for name in names:
        found = await database.fetch(
            query(f"{step}_differences"),
            {"name": name, "most": NAMED},
        )
        if found:
            listed = ", ".join(f"{key} ({what})" for key, what in found)
            await note(database, step, "failed", table=name, differences=[list(row) for row in found])
            raise Conflict(
                f"legacy_archive.{name} and the view {name} differ: {listed}. Nothing was changed."
            )


async def _state(database: LegacyStatements) -> Rollback:
    views, missing, waiting = (await database.fetch(query("rollback_state")))[0]
    if not views:
        raise Conflict("Nothing is cut over: the old names are tables, or not there.")
    if missing:
        raise Conflict(
            f"The archived tables are gone ({', '.join(missing)}):"
            " bring them back with `rushes legacy archive --restore`."
        )
    return Rollback(views=list(views), waiting=int(waiting))


async def _carry(database: LegacyStatements) -> int:
    rows = await database.fetch(query("rollback_carry"), {"most": BATCH})
    return int(rows[0][0])


async def _swap(database: LegacyDatabase, done: Rollback) -> None:
    for attempt in range(1, TRIES + 1):
        done.tries = attempt
        began = time.monotonic()
        try:
            async with database.transaction(lock_seconds=LOCK_SECONDS) as inside:
                await inside.execute(
                    f"SET LOCAL statement_timeout = {SWAP_MILLISECONDS + round(LOCK_SECONDS * 1000)}"
                )
                await inside.fetch(query("rollback_swap"))
            done.locked_seconds = time.monotonic() - began
            return
        except Unavailable:
            if attempt == TRIES:
                raise
            await asyncio.sleep(PAUSE_SECONDS)
            done.carried += await _carry(database)
