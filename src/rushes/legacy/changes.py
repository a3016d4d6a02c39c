"""What changes in the old tables while they are taken over: noted by triggers, followed by `drain`."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from rushes.domain.errors import Conflict
from rushes.legacy.pace import GENTLE_CHANGES, KEEPING_UP, MOST_GENTLE_CHANGES, Pace
from rushes.legacy.queries import filled, query
from rushes.legacy.sweep import SWEEP, look_through, present
from rushes.legacy.tables import UNITS, Shape, shapes, size_of
from rushes.ports.legacy import LegacyDatabase, LegacyStatements

MOST = 1000
"""Changes a round."""
BATCH_BYTES = 16 * 1024**2


async def follow(source: LegacyDatabase, tables: Mapping[str, Shape]) -> None:
    """Put the triggers on the old tables, where they are missing.

    Raises Conflict when somebody's view has an old table's name, Unavailable when a table stays locked.
    """
    await refuse_foreign_views(source)
    await source.patiently(query("changes_table"))
    for shape in tables.values():
        await source.patiently(filled("changes_follow", **_noted(shape)))


async def refuse_foreign_views(source: LegacyStatements) -> None:
    """Raises Conflict when a view that no cut-over has made stands where an old table is expected."""
    foreign = [name for (name,) in await source.fetch(query("changes_foreign"))]
    if foreign:
        raise Conflict(
            f"public.{foreign[0]} is a view that somebody made, so the rows behind it can't be followed. Nothing was "
            "changed. Drop or rename the view, and give the table that has its rows this name: "
            f"ALTER TABLE … RENAME TO {foreign[0]}."
        )


async def forget(source: LegacyDatabase, tables: Mapping[str, Shape]) -> None:
    """Take the triggers away again."""
    for shape in tables.values():
        await source.patiently(filled("changes_forget", relation=shape.relation, name=shape.name))


async def drain(
    target: LegacyStatements,
    source: LegacyStatements | None = None,
    *,
    tables: Mapping[str, Shape] | None = None,
    most: int = MOST,
    lazily: bool = False,
) -> int:
    """Follow noted changes, up to `most`; how many there were. 0: none is left.

    `source` where the old tables are in another database. Call it in a transaction to have them all or none. `lazily`:
    its commit waits for no disk, where a crash that undoes what was followed undoes that it was taken, too.
    """
    apart = source is not None and source is not target
    origin = source if source is not None else target
    known = tables or await shapes(origin)
    # the source commits last: a change that is lost on the way is still noted there
    async with origin.transaction(), target.transaction():
        # of two who follow the same row at once, the one who read it earlier might write it later
        await target.execute(query("changes_alone"))
        if lazily and not apart:
            await target.execute(query("changes_lazily"))
        taken = {name: (ids, n) for name, ids, n in await origin.fetch(query("changes_take"), {"most": most})}
        for name in taken.get(SWEEP, ((), 0))[0]:
            await look_through(target, origin, known, name, apart=apart)
        for name in UNITS:
            if name in taken and name in known:
                await _follow_rows(target, origin if apart else None, known, name, taken[name][0])
        return sum(int(n) for _, n in taken.values())


async def catch_up(
    target: LegacyStatements,
    source: LegacyStatements | None = None,
    *,
    tables: Mapping[str, Shape] | None = None,
    pace: Pace | None = None,
) -> int:
    """Follow all that is noted by now, how many there were; what is noted meanwhile may be left for the next time."""
    keeping = pace or Pace(source or target, target)
    followed, more, gently = 0, True, GENTLE_CHANGES
    noted = await keeping.noted()
    while more:
        async with keeping.step(rest=KEEPING_UP) as gentle:
            most = gently if gentle else MOST
            last = await drain(target, source, tables=tables, most=most, lazily=True)
        followed, more = followed + last, last >= most
        if more and gentle:
            came = await keeping.noted() - noted
            gently = gently if followed >= 2 * came else min(2 * gently, MOST_GENTLE_CHANGES)
    return followed


async def _follow_rows(
    target: LegacyStatements,
    source: LegacyStatements | None,
    tables: Mapping[str, Shape],
    name: str,
    ids: Sequence[str],
) -> None:
    shape = tables[name]
    within = f"t.{shape.key} = ANY (%(ids)s::text[]::{shape.key_type}[])"
    there = await present(source or target, shape, list(ids))
    gone = sorted(set(ids) - there)
    if gone:
        await target.execute(query("let_go"), {"name": name, "ids": gone})
    sizes = filled(
        "sizes_of", key=shape.key, size=size_of(tables, name), relation=shape.relation, range=within
    )
    for some in portions(await (source or target).fetch(sizes, {"ids": sorted(there)})):
        await take(target, source, tables, name, within, {"ids": some})


def portions(sizes: Iterable[tuple[Any, ...]], most: int = BATCH_BYTES) -> Iterator[list[str]]:
    """Ids, each with its row's bytes, in portions of about `most` bytes: a server takes no more than 1 GB at once."""
    some: list[str] = []
    together = 0
    for row, size in sorted(sizes):
        if some and together + int(size) > most:
            yield some
            some, together = [], 0
        some.append(str(row))
        together += int(size)
    if some:
        yield some


async def take(
    target: LegacyStatements,
    source: LegacyStatements | None,
    tables: Mapping[str, Shape],
    name: str,
    within: str,
    params: Mapping[str, object],
    *,
    fresh: bool = False,
) -> int:
    """Take in the rows of a table that a condition on `t` chooses; how many jobs were written.

    `fresh`: none of them has ever been taken in.
    """
    rows = _selected(tables, name, within)
    if source is None:
        written = await target.fetch(filled("take_selected", rows=rows), {**params, "fresh": fresh})
    else:
        await target.execute(query("came_table"))
        await target.copy_from(source, rows, params, "pg_temp.came (legacy_table, legacy_id, content)")
        written = await target.fetch(query("take_came"), {"fresh": fresh})
        await target.execute(query("came_gone"))
    return int(written[0][0])


def _selected(tables: Mapping[str, Shape], name: str, within: str) -> str:
    shape = tables[name]
    rows = filled(
        "rows_of", name=name, key=shape.key, content=shape.content, relation=shape.relation, range=within
    )
    if name != "datasets" or "data" not in tables:
        return rows
    items = tables["data"]
    more = filled(
        "items_of",
        content=items.content,
        relation=items.relation,
        datasets=shape.relation,
        range=within,
    )
    return f"{rows} UNION ALL {more}"


def _noted(shape: Shape) -> dict[str, str]:
    unit, key = ("datasets", "dataset_id") if shape.name == "data" else (shape.name, shape.key)
    return {"name": shape.name, "unit": unit, "key": key, "relation": shape.relation}
