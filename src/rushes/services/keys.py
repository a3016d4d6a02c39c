"""API keys: made, listed and revoked by their owner."""

import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import structlog

from rushes.domain.api_key import ALPHABET, LENGTH, PREFIX, SCOPES, SHOWN, KeyFacts, digest_of
from rushes.domain.errors import Forbidden, InvalidInput, NotFound, Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import Clock, Keys

log = structlog.get_logger("rushes.account")

NAME_LIMIT = 100


class KeyRing:
    """Every change is made for the person who asks."""

    def __init__(self, *, keys: Keys, clock: Clock) -> None:
        self._keys = keys
        self._clock = clock

    async def create(
        self, principal: Principal, *, name: str, scopes: Sequence[str], expires_at: datetime | None
    ) -> tuple[bytes, str]:
        """The key as JSON, and its secret, which is never shown again. Raises InvalidInput, Forbidden, Conflict."""
        owner = _owner(principal)
        facts_of = self._checked(principal, name, scopes, expires_at)
        secret = PREFIX + "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
        digest = digest_of(secret)
        assert digest is not None
        facts = KeyFacts(name=name.strip(), prefix=secret[:SHOWN], scopes=facts_of)
        created = await self._keys.create(owner, facts, digest, expires_at)
        log.info("api key made", user_id=str(owner), prefix=facts.prefix, scopes=list(facts.scopes))
        return created, secret

    async def list(self, principal: Principal) -> bytes:
        """A JSON array, newest first."""
        return await self._keys.list(_owner(principal))

    async def revoke(self, principal: Principal, key_id: UUID) -> None:
        """An own key; administrators revoke anybody's. Raises NotFound."""
        owner = None if principal.is_admin else _owner(principal)
        if not await self._keys.revoke(owner, key_id):
            raise NotFound("There is no such key of yours.")
        log.info("api key revoked", by=str(principal.user_id), key_id=str(key_id))

    def _checked(
        self, principal: Principal, name: str, scopes: Sequence[str], expires_at: datetime | None
    ) -> tuple[str, ...]:
        wanted = set(scopes)
        if not name.strip() or len(name) > NAME_LIMIT:
            raise InvalidInput({"name": f"should have 1 to {NAME_LIMIT} characters; say what the key is for"})
        if not wanted or wanted - set(SCOPES):
            raise InvalidInput({"scopes": f"should be some of {', '.join(SCOPES)}"})
        if "admin" in wanted and not principal.is_admin:
            raise Forbidden("Only administrators make keys with the scope admin.")
        if expires_at is not None and expires_at.tzinfo is None:
            raise InvalidInput({"expires_at": "needs a time zone, such as 2030-01-31T12:00:00Z"})
        if expires_at is not None and expires_at <= self._clock.now():
            raise InvalidInput({"expires_at": "is in the past"})
        return tuple(one for one in SCOPES if one in wanted)


def _owner(principal: Principal) -> UUID:
    if principal.user_id is None:
        raise Unauthenticated("Sign in first.")
    return principal.user_id
