"""The bridge: old and new rows together, before anything is moved."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rushes.domain.errors import Conflict
from rushes.legacy.changes import refuse_foreign_views
from rushes.legacy.log import note
from rushes.legacy.queries import filled, query
from rushes.legacy.tables import shapes
from rushes.legacy.transfer import check
from rushes.ports.legacy import LegacyDatabase, LegacyStatements


@dataclass(slots=True)
class Bridge:
    """What was, or with a dry run would be, made."""

    tables: list[str] = field(default_factory=list)
    indexes: list[tuple[str, str]] = field(default_factory=list)  # name and statement
    views: list[str] = field(default_factory=list)  # their definitions
    visibility: str = "private"

    def as_dict(self) -> dict[str, Any]:
        return {
            "tables": self.tables,
            "indexes": [name for name, _ in self.indexes],
            "views": self.views,
            "visibility": self.visibility,
        }


async def bridge(
    database: LegacyDatabase,
    *,
    visibility: str | None = None,
    dry_run: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Bridge:
    """Build what is missing and let the feed read it. `visibility`: of rows without an owner; None: as it was.

    Raises Conflict where there is no old table (any more), or while another step is at work.
    """
    async with database.lock("migrate"):
        done = await _plan(database)
        if dry_run:
            return done
        await note(database, "bridge", "started", visibility=visibility)
        if visibility:
            await database.execute(query("bridge_visibility"), {"visibility": visibility})
            done.visibility = visibility
        for name, statement in done.indexes:
            tell(f"Index {name}")
            await database.execute(statement)
        # the planner knows nothing yet of what the indexes are about
        await database.execute(f"ANALYZE {', '.join(f'public.{name}' for name in done.tables)}")
        await database.patiently(query("bridge_up"), {"contents": await _contents(database)})
        await note(database, "bridge", "finished", **done.as_dict() | {"views": len(done.views)})
        return done


async def remove(database: LegacyDatabase) -> None:
    """Take the views and their indexes away again; the feed shows jobs alone."""
    async with database.lock("migrate"):
        await database.patiently(query("bridge_down"))
        for (name,) in await database.fetch(query("bridge_built")):
            await database.execute(filled("bridge_unindex", index=name))
        await note(database, "bridge", "removed")


async def _plan(database: LegacyStatements) -> Bridge:
    await refuse_foreign_views(database)
    for (kind,) in await database.fetch(query("bridge_taken")):
        raise Conflict(
            f"There is a {kind} unified_workflow_jobs already that is not ours. Nothing was changed. Move it aside: "
            f"ALTER {kind.upper()} public.unified_workflow_jobs RENAME TO …."
        )
    tables, views = (await database.fetch(query("cutover_tables")))[0]
    if views:
        raise Conflict("Already cut over: every old row has its job, so there is nothing to bridge.")
    if not set(tables) - {"data"}:
        raise Conflict("There is no old table here: `rushes legacy inspect` says what it looks for.")
    check(await shapes(database))
    contents = {"contents": await _contents(database)}
    return Bridge(
        tables=list(tables),
        indexes=[(str(name), str(how)) for name, how in await database.fetch(query("bridge_indexes"))],
        views=[str(text) for (text,) in await database.fetch(query("bridge_views"), contents)],
        visibility=str((await database.fetch(query("bridge_chosen")))[0][0]),
    )


async def _contents(database: LegacyStatements) -> str:
    """How each table's rows are read, as JSON; what moves them reads them the same way."""
    tables = await shapes(database)
    return json.dumps({name: shape.content.replace("%%", "%") for name, shape in tables.items()})
