"""Job ids that the old rows would get, and that jobs from elsewhere have already: an earlier attempt by hand."""

from collections.abc import Mapping

from rushes.domain.errors import Conflict
from rushes.legacy.queries import filled, query
from rushes.legacy.tables import Shape
from rushes.ports.legacy import LegacyStatements

SHOWN = 5
_BATCH = 100_000
_COLUMNS = {"multitalk_jobs": "job_id", "style_transfers": "comfyui_prompt_id"}


async def claimed(
    target: LegacyStatements, source: LegacyStatements, tables: Mapping[str, Shape]
) -> list[str]:
    """The first few of them. Looks only while no old row has been taken in; later that would cost too much."""
    last = ""
    found: list[str] = []
    if (await target.fetch(query("claimed_late")))[0][0]:
        return found
    while len(found) < SHOWN:
        rows = await target.fetch(query("claimed_jobs"), {"after": last, "most": _BATCH})
        if not rows:
            break
        last = rows[-1][0]
        for name, column in _COLUMNS.items():
            if (shape := tables.get(name)) and column in shape.columns:
                asked = filled("claimed_rows", relation=shape.relation, column=column)
                found += [
                    row
                    for (row,) in await source.fetch(asked, {"ids": [row for (row,) in rows], "most": SHOWN})
                ]
    return sorted(set(found))[:SHOWN]


def advice(ids: list[str]) -> str:
    """What to do about them."""
    return (
        f"Jobs that don't come from the old tables have the prompt ids of old rows: {', '.join(ids)}. They look like "
        "an earlier attempt by hand. Delete those jobs, or change their job_id, then run migrate."
    )


async def refuse_claimed(
    target: LegacyStatements, source: LegacyStatements, tables: Mapping[str, Shape]
) -> None:
    """Raises Conflict when there are some."""
    if ids := await claimed(target, source, tables):
        raise Conflict(f"{advice(ids)} Nothing was changed.")
