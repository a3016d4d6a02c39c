"""Several kinds of credentials at once."""

from collections.abc import Sequence

from rushes.domain.errors import Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import Authenticator


class Authenticators:
    """The port Authenticator: the first kind that knows a token decides, and no other is asked."""

    def __init__(self, kinds: Sequence[Authenticator]) -> None:
        self._kinds = tuple(kinds)

    def knows(self, token: str) -> bool:
        return any(kind.knows(token) for kind in self._kinds)

    async def principal(self, token: str) -> Principal:
        for kind in self._kinds:
            if kind.knows(token):
                return await kind.principal(token)
        raise Unauthenticated("The token is not valid here. Sign in again, or use an API key.")
