"""What people may use and do use, and the checks, which hold while the person's lock does."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import AsyncConnection, errors
from psycopg.rows import TupleRow

from rushes.adapters.postgres.filters import first_id
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import NotFound, QuotaExceeded, StorageQuotaExceeded
from rushes.ports import Json, Limits

NO_LIMIT = 2**31 - 2
COUNTED = 10_000  # a use is counted no further
_WORDS = {
    "jobs_waiting": "jobs may wait at a time. Wait for some, or cancel some.",
    "jobs_per_day": "jobs may be submitted in 24 hours. Submit again later.",
}
NAMES = ("bytes_stored", "jobs_per_day", "jobs_waiting", "jobs_running", "upload_bytes")


class PostgresUseBook:
    """The port UseBook."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def own_limits(self, user_id: UUID) -> Json:
        row = await self._database.fetch(query("limits_of"), {"user_id": user_id})
        assert row is not None
        return dict(zip(NAMES, row[:5], strict=True))

    async def use(self, user_id: UUID) -> Json:
        async with self._database.service() as connection:
            waiting, today = await _counted(connection, user_id, waiting=COUNTED, a_day=COUNTED)
            cursor = await connection.execute(query("limits_use"), {"user_id": user_id})
            row = await cursor.fetchone()
        assert row is not None
        return {
            "bytes_stored": row[0],
            "jobs_per_day": today,
            "jobs_waiting": waiting,
            "jobs_running": row[1],
        }

    async def set_limits(self, user_id: UUID, changes: Mapping[str, int | None]) -> None:
        params: dict[str, Any] = {"user_id": user_id}
        for name in NAMES:
            params |= {name: changes.get(name), f"set_{name}": name in changes}
        try:
            await self._database.execute(query("limits_set"), params)
        except errors.ForeignKeyViolation as error:
            raise NotFound("There is no such account.") from error


def submit_limits(limits: Limits) -> dict[str, Any]:
    """The installation's limits as room.sql and submit_job.sql take them."""
    return {
        "most_waiting": _first(limits.jobs_waiting, NO_LIMIT),
        "most_a_day": _first(limits.jobs_per_day, NO_LIMIT),
        "most_bytes": limits.bytes_stored,
        "day_bound": _a_day_ago(),
    }


def exceeded(limit: str, figure: int, used: int, needed: int | None = None) -> QuotaExceeded:
    """What to say when a limit stands in the way."""
    if limit == "bytes_stored":
        return StorageQuotaExceeded(
            f"{_size(used)} of {_size(figure)} are stored already. Delete jobs for good to make room, "
            "or ask an administrator for more.",
            details={"limit": limit, "figure": figure, "used": used, "needed": needed},
        )
    return QuotaExceeded(
        f"At most {figure} {_WORDS[limit]}", details={"limit": limit, "figure": figure, "used": used}
    )


async def check_bytes(
    connection: AsyncConnection[TupleRow], user_id: UUID, bytes_limit: int | None, needed: int
) -> None:
    """Whether that person may store so many bytes more. Raises StorageQuotaExceeded."""
    cursor = await connection.execute(query("limits_of"), {"user_id": user_id})
    row = await cursor.fetchone()
    assert row is not None
    own, stored = dict(zip(NAMES, row[:5], strict=True)), row[5]
    limit = _first(own["bytes_stored"], bytes_limit, None)
    if limit is not None and stored + needed > limit:
        raise exceeded("bytes_stored", limit, stored, needed)


async def _counted(
    connection: AsyncConnection[TupleRow], user_id: UUID, *, waiting: int, a_day: int
) -> tuple[int, int]:
    cursor = await connection.execute(
        query("user_use"),
        {
            "user_id": user_id,
            "waiting_limit": waiting,
            "day_limit": a_day,
            "day_bound": _a_day_ago(),
        },
    )
    row = await cursor.fetchone()
    assert row is not None
    return row[0], row[1]


def _a_day_ago() -> UUID:
    return first_id(datetime.now(UTC) - timedelta(days=1))


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _size(size: int) -> str:
    return f"{size / 1024**3:.1f} GB" if size >= 1024**3 else f"{size / 1024**2:.1f} MB"
