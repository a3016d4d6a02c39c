"""All people, and what administrators do with accounts."""

from uuid import UUID

import structlog

from rushes.domain.errors import Conflict, Forbidden, NotFound
from rushes.domain.principal import Principal
from rushes.ports import People
from rushes.services.accounts import Link, LocalAccounts

log = structlog.get_logger("rushes.account")

GONE = "There is no such account."


class PeopleDesk:
    """Every call is an administrator's. `local`: accounts with passwords of our own, where there are any."""

    def __init__(self, *, people: People, local: LocalAccounts | None) -> None:
        self._people = people
        self._local = local

    async def page(self, admin: Principal, *, words: str | None, after: UUID | None, limit: int) -> bytes:
        """A JSON array, newest first. Raises Forbidden, InvalidCursor."""
        _check(admin)
        return await self._people.page(words, after, limit)

    async def one(self, admin: Principal, user_id: UUID) -> bytes:
        """Raises Forbidden, NotFound."""
        _check(admin)
        found = await self._people.one(user_id)
        if found is None:
            raise NotFound(GONE)
        return found

    async def add(self, admin: Principal, email: str, *, is_admin: bool = False) -> tuple[UUID, Link]:
        """A new local account, and the link by which its owner sets a password. Raises Conflict."""
        _check(admin)
        local = self._own()
        made = await local.add(email)
        assert made.user_id is not None
        if is_admin:
            await self.set_admin(admin, made.user_id, True)
        return made.user_id, await local.password_link(made.user_id)

    async def link(self, admin: Principal, user_id: UUID) -> Link:
        """A password-reset link. Raises NotFound, Conflict."""
        _check(admin)
        return await self._own().password_link(user_id)

    async def set_admin(self, admin: Principal, user_id: UUID, wanted: bool) -> None:
        """Raises NotFound, and Conflict for oneself."""
        _check(admin)
        if not wanted:
            _not_oneself(admin, user_id)
        if not await self._people.set_admin(user_id, wanted):
            raise NotFound(GONE)
        log.info(
            "administrator made" if wanted else "administrator removed",
            user_id=str(user_id),
            by=str(admin.user_id),
        )

    async def set_disabled(self, admin: Principal, user_id: UUID, wanted: bool) -> None:
        """Raises NotFound, and Conflict for oneself."""
        _check(admin)
        _not_oneself(admin, user_id)
        await self._people.set_disabled(user_id, wanted)
        log.info(
            "account disabled" if wanted else "account enabled", user_id=str(user_id), by=str(admin.user_id)
        )

    def _own(self) -> LocalAccounts:
        if self._local is None:
            raise Conflict(
                "Accounts are Supabase's here. Add people and reset passwords in the project's dashboard."
            )
        return self._local


def _check(admin: Principal) -> None:
    if not admin.is_admin:
        raise Forbidden("Only administrators manage people.")


def _not_oneself(admin: Principal, user_id: UUID) -> None:
    if admin.user_id == user_id:
        raise Conflict("That would lock you out. Ask another administrator.")
