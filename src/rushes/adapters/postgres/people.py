"""All people, for administrators."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from psycopg import errors

from rushes.adapters.postgres.filters import first_id
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import InvalidCursor, NotFound


class PostgresPeople:
    """The port People."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def page(self, words: str | None, after: UUID | None, limit: int) -> bytes:
        try:
            return await self._rows(words=words, after=after, limit=limit)
        except errors.NoDataFound as error:
            raise InvalidCursor("The account of the cursor is gone. Start again without `after`.") from error

    async def one(self, user_id: UUID) -> bytes | None:
        found = await self._rows(words=str(user_id), after=None, limit=1)
        return found[1:-1] or None  # the one element of the array

    async def set_admin(self, user_id: UUID, admin: bool) -> bool:
        row = await self._database.fetch(query("account_set_admin"), {"id": user_id, "admin": admin})
        return bool(row and row[0])

    async def set_disabled(self, user_id: UUID, disabled: bool) -> None:
        try:
            await self._database.execute(query("account_disable"), {"id": user_id, "disabled": disabled})
        except errors.ForeignKeyViolation as error:
            raise NotFound("There is no such account.") from error

    async def _rows(self, **params: Any) -> bytes:
        params["day_bound"] = first_id(datetime.now(UTC) - timedelta(days=1))
        row = await self._database.fetch(query("people_page"), params)
        assert row is not None
        return str(row[0]).encode()
