"""The port Accounts."""

from uuid import UUID, uuid4

from rushes.domain.principal import Principal
from rushes.ports import Account


class MemoryAccounts:
    """`people` is who has an account; deleting there deletes the account. `asked` counts the looks.

    `standing` holds accounts that differ from a new one. `mirrors`: whether strangers are taken in.
    """

    def __init__(self, *, mirrors: bool = True) -> None:
        self.people: dict[UUID, Principal] = {}
        self.standing: dict[UUID, Account] = {}
        self._mirrors = mirrors
        self.asked = 0

    async def anonymous(self) -> Principal:
        return self._new(Principal(user_id=uuid4(), is_anonymous=True))

    async def administrator(self) -> Principal:
        known = next((one for one in self.people.values() if one.is_admin), None)
        return known or self._new(Principal(user_id=uuid4(), is_admin=True))

    async def find(self, user_id: UUID) -> Account | None:
        self.asked += 1
        principal = self.people.get(user_id)
        return self.standing.get(user_id, Account(principal=principal)) if principal else None

    async def id_of(self, email: str) -> UUID | None:
        return next((one.user_id for one in self.people.values() if one.email == email), None)

    async def mirror(self, principal: Principal) -> bool:
        if self._mirrors:
            self._new(principal)
        return self._mirrors

    def _new(self, principal: Principal) -> Principal:
        if principal.user_id is not None:
            self.people[principal.user_id] = principal
        return principal
