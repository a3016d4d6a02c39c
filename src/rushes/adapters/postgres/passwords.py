"""What the local kind of accounts stores: passwords' hashes, ended sessions, one-time links."""

from datetime import datetime
from uuid import UUID

from psycopg import errors

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import Conflict, NotFound
from rushes.domain.principal import Principal
from rushes.ports import Clock

TAKEN = "There is an account with this e-mail address already. Sign in, or use another address."


class PostgresPasswords:
    """The port Passwords."""

    def __init__(self, *, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    async def create(self, email: str, password_hash: str | None) -> Principal:
        user_id = self._clock.uuid7()
        async with self._database.service() as connection:
            try:
                await connection.execute(query("account_make"), {"id": user_id, "email": email})
            except errors.UniqueViolation as error:
                raise Conflict(TAKEN) from error
            if password_hash is not None:
                await connection.execute(
                    query("password_set"),
                    {"id": user_id, "password_hash": password_hash, "end_sessions": False},
                )
        return Principal(user_id=user_id, email=email)

    async def claim(self, user_id: UUID, email: str, password_hash: str) -> None:
        async with self._database.service() as connection:
            try:
                claimed = await connection.execute(query("account_claim"), {"id": user_id, "email": email})
            except errors.UniqueViolation as error:
                raise Conflict(TAKEN) from error
            row = await claimed.fetchone()
            if row is None or not row[0]:
                raise Conflict("This account has an e-mail address already. Sign out to make another one.")
            await connection.execute(
                query("password_set"), {"id": user_id, "password_hash": password_hash, "end_sessions": False}
            )

    async def by_email(self, email: str) -> tuple[UUID, str | None] | None:
        row = await self._database.fetch(query("account_by_email"), {"email": email})
        return (row[0], row[1]) if row else None

    async def password_hash(self, user_id: UUID) -> str | None:
        row = await self._database.fetch(query("password_get"), {"id": user_id})
        found: str | None = row[0] if row else None
        return found

    async def set_password(self, user_id: UUID, password_hash: str, *, end_sessions: bool) -> None:
        params = {"id": user_id, "password_hash": password_hash, "end_sessions": end_sessions}
        await self._database.execute(query("password_set"), params)

    async def signed_in(self, user_id: UUID) -> None:
        await self._database.execute(query("session_begun"), {"id": user_id})

    async def end_session(self, user_id: UUID, session: str, expires_at: datetime) -> None:
        params = {"id": user_id, "session": session, "expires_at": expires_at}
        await self._database.execute(query("session_end"), params)

    async def end_sessions(self, user_id: UUID) -> None:
        await self._database.execute(query("session_end_all"), {"id": user_id})

    async def put_link(self, digest: str, user_id: UUID, purpose: str, seconds: float) -> datetime:
        params = {"digest": digest, "id": user_id, "purpose": purpose, "seconds": seconds}
        try:
            row = await self._database.fetch(query("link_put"), params | {"alone": purpose == "password"})
        except errors.ForeignKeyViolation as error:
            raise NotFound("There is no such account.") from error
        assert row is not None
        until: datetime = row[0]
        return until

    async def take_link(self, digest: str, purpose: str) -> UUID | None:
        row = await self._database.fetch(query("link_take"), {"digest": digest, "purpose": purpose})
        return row[0] if row and row[1] else None
