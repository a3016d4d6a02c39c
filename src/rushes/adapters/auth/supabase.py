"""The tokens of a Supabase project."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import jwt

from rushes.adapters.auth.jwks import Jwks
from rushes.adapters.auth.known import KnownAccounts
from rushes.adapters.auth.peek import TOKEN_LIMIT, issuer_of
from rushes.domain.errors import Unauthenticated
from rushes.domain.principal import Principal
from rushes.ports import Accounts

AUDIENCE = ROLE = "authenticated"
LEEWAY_SECONDS = 10
ASYMMETRIC = ("ES256", "RS256")
REQUIRED = ["exp", "sub", "iss", "aud"]
INVALID = "The token is not valid. Sign in again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """A Supabase project; the secret is for those that still sign with HS256."""

    url: str
    jwt_secret: bytes | None = None

    @property
    def issuer(self) -> str:
        return f"{self.url}/auth/v1"

    @property
    def jwks_url(self) -> str:
        return f"{self.issuer}/.well-known/jwks.json"


class SupabaseTokens:
    """The port Authenticator. A token names a key, and the key decides with which algorithm it is verified."""

    def __init__(self, *, project: Project, jwks: Jwks, accounts: Accounts, known: KnownAccounts) -> None:
        self._project = project
        self._jwks = jwks
        self._accounts = accounts
        self._known = known

    def knows(self, token: str) -> bool:
        return issuer_of(token) == self._project.issuer

    async def principal(self, token: str) -> Principal:
        """Whose token it is. Raises Unauthenticated, Unavailable, or Forbidden for a disabled account."""
        principal = _principal(await self._claims(token))
        assert principal.user_id is not None
        # `mirror` only where this database isn't the project's own: there a missing account is a deleted one
        if await self._known.get(principal.user_id) is None and not await self._accounts.mirror(principal):
            raise Unauthenticated("The account is gone. Sign in again.")
        return principal

    async def _claims(self, token: str) -> dict[str, Any]:
        if len(token) > TOKEN_LIMIT:
            raise Unauthenticated(INVALID)
        try:
            key, algorithm = await self._key(jwt.get_unverified_header(token))
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=AUDIENCE,
                issuer=self._project.issuer,
                leeway=LEEWAY_SECONDS,
                options={"require": REQUIRED},
            )
        except jwt.ExpiredSignatureError:
            raise Unauthenticated("The session has expired. Sign in again.") from None
        except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
            raise Unauthenticated(INVALID) from None

    async def _key(self, header: dict[str, Any]) -> tuple[Any, str]:
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm == "HS256" and self._project.jwt_secret is not None:
            return self._project.jwt_secret, "HS256"
        if algorithm not in ASYMMETRIC or not isinstance(kid, str):
            raise Unauthenticated(INVALID)
        found = await self._jwks.key(kid)
        if found is None or found.algorithm != algorithm:
            raise Unauthenticated(INVALID)
        return found.key, found.algorithm


def _principal(claims: dict[str, Any]) -> Principal:
    """What the claims say. Never from user_metadata: people write that themselves."""
    if claims.get("role") != ROLE:
        raise Unauthenticated("The token is not a person's. Sign in, or use an API key of Rushes.")
    try:
        user_id = UUID(claims["sub"])
    except (ValueError, AttributeError, TypeError):
        raise Unauthenticated(INVALID) from None
    app_metadata, email = claims.get("app_metadata"), claims.get("email")
    return Principal(
        user_id=user_id,
        email=email if isinstance(email, str) and email else None,
        is_anonymous=claims.get("is_anonymous") is True,
        is_admin=isinstance(app_metadata, dict) and app_metadata.get("role") == "admin",
    )
