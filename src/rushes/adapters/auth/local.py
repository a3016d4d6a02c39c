"""The local kind: accounts of our own, in tokens signed with a key of this installation."""

import secrets
import time
from collections import OrderedDict
from datetime import timedelta
from uuid import UUID

import jwt

from rushes.domain.errors import Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import Accounts, Clock

ISSUER = "rushes"
AUDIENCE = "authenticated"
LIFETIME = timedelta(days=365)
KNOWN_SECONDS, KNOWN_LIMIT = 30.0, 10_000
SIGN_IN = "Reload the page to sign in again, or get a new token from POST /api/auth/anonymous."


class LocalSessions:
    """Issues and verifies session tokens (HS256); a deleted or changed account is noticed within 30 s."""

    def __init__(self, *, key: bytes, accounts: Accounts, clock: Clock, anonymous_allowed: bool) -> None:
        self._key = key
        self._accounts = accounts
        self._clock = clock
        self.anonymous_allowed = anonymous_allowed
        self._links: dict[str, float] = {}
        self._known: OrderedDict[UUID, tuple[float, Principal]] = OrderedDict()

    def token(self, principal: Principal) -> str:
        """A session token."""
        now = self._clock.now()
        claims = {
            "sub": str(principal.user_id),
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFETIME,
            "role": "authenticated",
            "is_anonymous": principal.is_anonymous,
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    async def principal(self, token: str) -> Principal:
        """Whose token it is. Raises Unauthenticated."""
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
            user_id = UUID(claims["sub"])
        except jwt.ExpiredSignatureError:
            raise Unauthenticated(f"The session has expired. {SIGN_IN}") from None
        except (jwt.InvalidTokenError, ValueError, TypeError):
            raise Unauthenticated(f"The token is not valid. {SIGN_IN}") from None
        return await self._account(user_id)

    async def _account(self, user_id: UUID) -> Principal:
        known = self._known.get(user_id)
        if known and known[0] > time.monotonic():
            return known[1]
        # Rights come from the account, not from the token: taking them away works at once.
        found = await self._accounts.find(user_id)
        if found is None:
            self._known.pop(user_id, None)
            raise Unauthenticated(f"The account is gone. {SIGN_IN}")
        self._known[user_id] = (time.monotonic() + KNOWN_SECONDS, found)
        if len(self._known) > KNOWN_LIMIT:
            self._known.popitem(last=False)
        return found

    async def new_anonymous(self) -> tuple[Principal, str]:
        """A new anonymous account and its token."""
        principal = await self._accounts.anonymous()
        return principal, self.token(principal)

    def one_time_link(self, *, seconds: float = 24 * 3600) -> str:
        """The secret of a link that signs the administrator in, once, while this process runs."""
        secret = secrets.token_urlsafe(24)
        self._links[secret] = time.monotonic() + seconds
        return secret

    async def redeem(self, link_token: str) -> tuple[Principal, str]:
        """Use a one-time link. Raises Unauthenticated."""
        until = self._links.pop(link_token, None)
        if until is None or until < time.monotonic():
            raise Unauthenticated(
                "This sign-in link was used already or has expired. Start again for a new one."
            )
        administrator = await self._accounts.administrator()
        return administrator, self.token(administrator)
