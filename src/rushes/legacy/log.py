"""What each step did, in the table rushes_legacy.log."""

import json
from typing import Any

from rushes.legacy.queries import query
from rushes.ports.legacy import LegacyStatements


async def note(database: LegacyStatements, step: str, event: str, **details: Any) -> None:
    """Append a line, in the caller's transaction if there is one. `event`: started, progressed, finished, failed, …"""
    await database.execute(
        query("log_note"), {"step": step, "event": event, "details": json.dumps(details, default=str)}
    )


async def last(database: LegacyStatements, step: str, event: str) -> dict[str, Any] | None:
    """The details of the newest such line, with `at` and `age_seconds`."""
    rows = await database.fetch(query("log_last"), {"step": step, "event": event})
    return {**rows[0][0], "at": rows[0][1], "age_seconds": float(rows[0][2])} if rows else None
