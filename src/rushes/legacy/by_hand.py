"""What somebody made by hand that a takeover would run into, in words, with what to do."""

from rushes.legacy.queries import query
from rushes.ports.legacy import LegacyStatements

_WORDS = {
    "jobs": (
        "{name} looks like an earlier attempt by hand, and `rushes db migrate` stops at it. Move it aside first: "
        "ALTER {kind} {name} RENAME TO …. Rows that are there alone are not taken over."
    ),
    "unified": (
        "{name} is not ours, so `rushes legacy bridge` stops at it. Move it aside first: "
        "ALTER {kind} {name} RENAME TO …."
    ),
    "view": (
        "{name} is a view that somebody made where a table is expected: migrate stops before touching anything. "
        "Drop or rename the view, and give the table that has its rows this name."
    ),
    "archive": (
        "{name} stands where the cut-over puts the old table, so it stops. Move it aside first: "
        "ALTER {kind} {name} RENAME TO …."
    ),
    "time": (
        "{name} is {kind}, no timestamp with time zone: it is read as UTC, and what is no moment counts as none."
    ),
}


async def by_hand(source: LegacyStatements) -> list[str]:
    """Each finding in words; reads the catalog only."""
    told = [
        _WORDS[what].format(name=name, kind=kind)
        for what, name, kind in await source.fetch(query("inspect_by_hand"))
    ]
    for table, why in await source.fetch(query("phase1_unfit")):
        told.append(
            f"public.{table} has a column workflow_type already, {why}: phase1 stops before touching anything; migrate "
            "takes the types that stand there, and lists those that it doesn't know (unreadable_value)."
        )
    return told
