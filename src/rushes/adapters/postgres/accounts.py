"""Accounts: `auth.users`, and what stands beside it. On Supabase only functions of ours may read that table."""

from typing import Any
from uuid import UUID

from psycopg import errors
from psycopg.rows import TupleRow

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import NotFound
from rushes.domain.principal import Principal
from rushes.ports import Account, Clock

ADMINISTRATOR = "administrator@localhost"


class PostgresAccounts:
    """The port Accounts. `own_administrator`: make one, instead of looking for one among the people."""

    def __init__(self, *, database: Database, clock: Clock, own_administrator: bool = True) -> None:
        self._database = database
        self._clock = clock
        self._own_administrator = own_administrator

    async def anonymous(self) -> Principal:
        user_id = self._clock.uuid7()
        await self._database.execute(query("account_create"), {"id": user_id})
        return Principal(user_id=user_id, is_anonymous=True)

    async def administrator(self) -> Principal:
        user_id = await (self._local_administrator() if self._own_administrator else self._first_admin())
        found = await self.find(user_id)
        assert found is not None
        return found.principal

    async def find(self, user_id: UUID) -> Account | None:
        row = await self._database.fetch(query("account_find"), {"id": user_id})
        return account(row) if row else None

    async def id_of(self, email: str) -> UUID | None:
        row = await self._database.fetch(query("account_by_email"), {"email": email})
        found: UUID | None = row[0] if row else None
        return found

    async def mirror(self, principal: Principal) -> bool:
        params = {"id": principal.user_id, "email": principal.email, "is_anonymous": principal.is_anonymous}
        row = await self._database.fetch(query("account_mirror"), params)
        return bool(row and row[0])

    async def _local_administrator(self) -> UUID:
        known = await self.id_of(ADMINISTRATOR)
        if known is None:
            try:
                await self._database.execute(query("account_admin"), {"id": self._clock.uuid7()})
            except errors.UniqueViolation:
                pass  # another process was faster
            known = await self.id_of(ADMINISTRATOR)
        assert known is not None
        return known

    async def _first_admin(self) -> UUID:
        row = await self._database.fetch(query("account_first_admin"))
        found: UUID | None = row[0] if row else None
        if found is None:
            raise NotFound("Nobody is an administrator yet. Make somebody one: rushes users admin EMAIL")
        return found


def account(row: TupleRow) -> Account:
    """An account from the columns of rushes.account()."""
    user_id, email, is_anonymous, is_admin, disabled, version, ended = row[:7]
    found: dict[str, Any] = {"user_id": user_id, "email": email}
    return Account(
        principal=Principal(**found, is_anonymous=is_anonymous, is_admin=is_admin),
        disabled=disabled,
        session_version=version,
        ended_sessions=frozenset(ended),
    )
