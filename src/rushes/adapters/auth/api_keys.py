"""API keys as credentials. Each use looks into the database, so a revoked key is dead at once."""

from rushes.adapters.auth.known import enabled
from rushes.domain.api_key import digest_of, is_api_key
from rushes.domain.errors import Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import Keys

INVALID = "The API key is not valid: it was revoked, has expired, or never was one. Make a new one."


class ApiKeys:
    """The port Authenticator."""

    def __init__(self, *, keys: Keys) -> None:
        self._keys = keys

    def knows(self, token: str) -> bool:
        return is_api_key(token)

    async def principal(self, token: str) -> Principal:
        digest = digest_of(token)
        found = await self._keys.find(digest) if digest else None
        if found is None:
            raise Unauthenticated(INVALID)
        account, scopes = enabled(found[0]).principal, frozenset(found[1])
        return Principal(
            user_id=account.user_id,
            email=account.email,
            is_anonymous=account.is_anonymous,
            is_admin=account.is_admin and "admin" in scopes,
            scopes=scopes,
        )
