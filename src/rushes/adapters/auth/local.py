"""The local kind: accounts of our own, in tokens signed with a key of this installation."""

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import jwt

from rushes.adapters.auth.known import KnownAccounts
from rushes.adapters.auth.peek import TOKEN_LIMIT, issuer_of
from rushes.domain.errors import Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import Account, Clock

ISSUER = "rushes"
AUDIENCE = "authenticated"
LIFETIME = timedelta(days=365)
REMEMBERED = 1000  # tokens
SIGN_IN = "Sign in again, or get a new token from POST /api/auth/anonymous."


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What a token says, once its signature has been verified."""

    user_id: UUID
    version: int
    id: str
    expires_at: datetime


class LocalSessions:
    """Issues and verifies session tokens (HS256); what another process does to an account is noticed within 30 s."""

    def __init__(self, *, key: bytes, known: KnownAccounts, clock: Clock) -> None:
        self._key = key
        self._known = known
        self._clock = clock
        self._verified: OrderedDict[str, Session] = OrderedDict()

    def knows(self, token: str) -> bool:
        return token in self._verified or issuer_of(token) == ISSUER

    def token(self, principal: Principal, *, version: int = 1) -> str:
        """A session token for that version of the account's sessions."""
        now = self._clock.now()
        claims = {
            "sub": str(principal.user_id),
            "iss": ISSUER,
            "aud": AUDIENCE,
            "iat": now,
            "exp": now + LIFETIME,
            "role": "authenticated",
            "is_anonymous": principal.is_anonymous,
            "session_version": version,
            "session_id": secrets.token_urlsafe(16),
        }
        return jwt.encode(claims, self._key, algorithm="HS256")

    async def fresh_token(self, principal: Principal) -> str:
        """A token for the account as it is now. Raises Unauthenticated, Forbidden."""
        assert principal.user_id is not None
        self._known.forget(principal.user_id)
        account = await self._account(principal.user_id)
        return self.token(account.principal, version=account.session_version)

    async def principal(self, token: str) -> Principal:
        """Whose token it is. Raises Unauthenticated, or Forbidden for a disabled account."""
        session = self.session(token)
        account = await self._account(session.user_id)
        if session.version != account.session_version or session.id in account.ended_sessions:
            raise Unauthenticated(f"This session was signed out. {SIGN_IN}")
        # Rights come from the account, not from the token: taking them away works at once.
        return account.principal

    def session(self, token: str) -> Session:
        """What a valid token says. Raises Unauthenticated."""
        known = self._verified.get(token)
        if known is None or known.expires_at <= self._clock.now():
            known = self._verified[token] = self._verify(token)  # what it says is for good, until it expires
            if len(self._verified) > REMEMBERED:
                self._verified.popitem(last=False)
        return known

    def _verify(self, token: str) -> Session:
        if len(token) > TOKEN_LIMIT:
            raise Unauthenticated(f"The token is not valid. {SIGN_IN}")
        try:
            claims = jwt.decode(
                token,
                self._key,
                algorithms=["HS256"],
                issuer=ISSUER,
                audience=AUDIENCE,
                options={"require": ["exp", "sub", "iss", "aud"]},
            )
            return Session(
                user_id=UUID(claims["sub"]),
                version=int(claims.get("session_version", 1)),
                id=str(claims.get("session_id", "")),
                expires_at=datetime.fromtimestamp(claims["exp"], self._clock.now().tzinfo),
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated(f"The session has expired. {SIGN_IN}") from None
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, OSError):
            raise Unauthenticated(f"The token is not valid. {SIGN_IN}") from None

    async def _account(self, user_id: UUID) -> Account:
        found = await self._known.get(user_id)
        if found is None:
            raise Unauthenticated(f"The account is gone. {SIGN_IN}")
        return found
