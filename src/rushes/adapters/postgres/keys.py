"""The table `api_keys`."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg import errors

from rushes.adapters.postgres.accounts import account
from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.api_key import KeyFacts
from rushes.domain.errors import Conflict, NotFound
from rushes.ports import Account

MOST_KEYS = 100


class PostgresKeys:
    """The port Keys."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def create(self, owner: UUID, facts: KeyFacts, digest: str, expires_at: datetime | None) -> bytes:
        params = {
            "user_id": owner,
            "name": facts.name,
            "prefix": facts.prefix,
            "scopes": list(facts.scopes),
            "digest": digest,
            "expires_at": expires_at,
            "limit": MOST_KEYS,
        }
        async with self._database.service() as connection:
            await connection.execute(query("user_lock"), {"user_id": owner})
            try:
                created = await connection.execute(query("api_key_create"), params)
            except errors.ForeignKeyViolation as error:
                raise NotFound("There is no such account.") from error
            row = await created.fetchone()
        if row is None:
            raise Conflict(f"At most {MOST_KEYS} keys can be valid at a time. Revoke some first.")
        return str(row[0]).encode()

    async def list(self, owner: UUID) -> bytes:
        row = await self._database.fetch(query("api_key_list"), {"user_id": owner})
        assert row is not None
        return str(row[0]).encode()

    async def revoke(self, owner: UUID | None, key_id: UUID) -> bool:
        params = {"id": key_id, "user_id": owner}
        return await self._database.fetch(query("api_key_revoke"), params) is not None

    async def find(self, digest: str) -> tuple[Account, Sequence[str]] | None:
        row = await self._database.fetch(query("api_key_find"), {"digest": digest})
        return (account(row), row[7]) if row else None
