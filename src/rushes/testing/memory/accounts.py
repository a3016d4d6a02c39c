"""The port Accounts."""

from uuid import UUID, uuid4

from rushes.domain.principal import Principal


class MemoryAccounts:
    """`people` is who has an account; deleting there deletes the account. `asked` counts the looks."""

    def __init__(self) -> None:
        self.people: dict[UUID, Principal] = {}
        self.asked = 0

    async def anonymous(self) -> Principal:
        return self._new(Principal(user_id=uuid4(), is_anonymous=True))

    async def administrator(self) -> Principal:
        known = next((one for one in self.people.values() if one.is_admin), None)
        return known or self._new(Principal(user_id=uuid4(), is_admin=True))

    async def find(self, user_id: UUID) -> Principal | None:
        self.asked += 1
        return self.people.get(user_id)

    def _new(self, principal: Principal) -> Principal:
        if principal.user_id is not None:
            self.people[principal.user_id] = principal
        return principal
