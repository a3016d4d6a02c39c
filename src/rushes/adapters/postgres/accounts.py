"""Local accounts in `auth.users`."""

from uuid import UUID

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.principal import Principal
from rushes.ports import Clock


class PostgresAccounts:
    """The port Accounts."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def anonymous(self) -> Principal:
        user_id = self._clock.uuid7()
        await self._database.execute(query("account_create"), {"id": user_id})
        return Principal(user_id=user_id, is_anonymous=True)

    async def administrator(self) -> Principal:
        row = await self._database.fetch(query("account_admin"), {"id": self._clock.uuid7()})
        assert row is not None
        found = await self.find(row[0])
        assert found is not None
        return found

    async def find(self, user_id: UUID) -> Principal | None:
        row = await self._database.fetch(query("account_find"), {"id": user_id})
        if row is None:
            return None
        found, email, is_anonymous, is_admin = row
        return Principal(user_id=found, email=email, is_anonymous=is_anonymous, is_admin=is_admin)
