"""How people get in: what the endpoints of sign-in work with."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rushes.domain.principal import Principal
from rushes.ports import Accounts, Authenticator
from rushes.services.accounts import LocalAccounts
from rushes.services.rates import RateGate


class Session(Protocol):
    """What a verified token says."""

    @property
    def user_id(self) -> UUID: ...

    @property
    def id(self) -> str: ...

    @property
    def expires_at(self) -> datetime: ...


class Sessions(Protocol):
    """Tokens of local accounts."""

    def knows(self, token: str) -> bool: ...

    async def fresh_token(self, principal: Principal) -> str:
        """Raises Unauthenticated, Forbidden."""
        ...

    def session(self, token: str) -> Session:
        """Raises Unauthenticated."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrance:
    """The kinds of accounts that are taken, and the local kind, if it is among them."""

    kinds: tuple[str, ...]
    authenticator: Authenticator
    sessions: Sessions
    local: LocalAccounts | None
    accounts: Accounts
    rates: RateGate
    printed_link: Callable[[str], bool]
    forget: Callable[[UUID], None]
    anonymous_allowed: bool = False
    supabase_url: str | None = None
    public_url: str | None = None
