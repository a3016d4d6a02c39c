"""Accounts as they were a moment ago: a busy browser must not ask the database at each request."""

import time
from collections import OrderedDict
from uuid import UUID

from rushes.domain.errors import Forbidden
from rushes.ports import Account, Accounts

SECONDS, LIMIT = 30.0, 10_000
DISABLED = "This account has been disabled. Ask an administrator of this installation."


class KnownAccounts:
    """Looks accounts up, at most every 30 s each; what another process changes is noticed after that time."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._known: OrderedDict[UUID, tuple[float, Account]] = OrderedDict()

    async def get(self, user_id: UUID) -> Account | None:
        """The account, or None where there is none. Raises Forbidden when it is disabled."""
        known = self._known.get(user_id)
        if known and known[0] > time.monotonic():
            return enabled(known[1])
        found = await self._accounts.find(user_id)
        if found is None:
            self.forget(user_id)
            return None
        self._known[user_id] = (time.monotonic() + SECONDS, found)
        self._known.move_to_end(user_id)
        if len(self._known) > LIMIT:
            self._known.popitem(last=False)
        return enabled(found)

    def forget(self, user_id: UUID) -> None:
        """Look again at the next request."""
        self._known.pop(user_id, None)


def enabled(account: Account) -> Account:
    """Raises Forbidden for a disabled account."""
    if account.disabled:
        raise Forbidden(DISABLED)
    return account
