"""Accounts and workflow types."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rushes.domain.api_key import KeyFacts
from rushes.domain.principal import Principal
from rushes.domain.workflow import Workflow
from rushes.ports.shapes import Json


class Authenticator(Protocol):
    """One kind of credentials."""

    def knows(self, token: str) -> bool:
        """Whether a token is of this kind, going by its looks; nothing is trusted by that."""
        ...

    async def principal(self, token: str) -> Principal:
        """Whose token it is. Raises Unauthenticated, or Forbidden for a disabled account."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """An account as it is now. Tokens of another `session_version`, and `ended_sessions`, are void."""

    principal: Principal
    disabled: bool = False
    session_version: int = 1
    ended_sessions: frozenset[str] = frozenset()


class Accounts(Protocol):
    """Accounts: anonymous people, people with an e-mail address, the administrator."""

    async def anonymous(self) -> Principal:
        """A new anonymous account."""
        ...

    async def administrator(self) -> Principal:
        """The installation's administrator, made when it is first asked for. Raises NotFound where there is none."""
        ...

    async def find(self, user_id: UUID) -> Account | None: ...

    async def id_of(self, email: str) -> UUID | None: ...

    async def mirror(self, principal: Principal) -> bool:
        """Book somebody of a Supabase project in a database that isn't the project's; false where it is."""
        ...


class Passwords(Protocol):
    """People with an e-mail address and a password, one-time links, and what ends sessions."""

    async def create(self, email: str, password_hash: str | None) -> Principal:
        """A new account. Raises Conflict for an address that is taken."""
        ...

    async def claim(self, user_id: UUID, email: str, password_hash: str) -> None:
        """Make an anonymous account one with a password. Raises Conflict."""
        ...

    async def by_email(self, email: str) -> tuple[UUID, str | None] | None:
        """The account of an address, and its password's hash."""
        ...

    async def password_hash(self, user_id: UUID) -> str | None: ...

    async def set_password(self, user_id: UUID, password_hash: str, *, end_sessions: bool) -> None: ...

    async def signed_in(self, user_id: UUID) -> None:
        """Book the time."""
        ...

    async def end_session(self, user_id: UUID, session: str, expires_at: datetime) -> None: ...

    async def end_sessions(self, user_id: UUID) -> None:
        """Make every token of that account void."""
        ...

    async def put_link(self, digest: str, user_id: UUID, purpose: str, seconds: float) -> datetime:
        """Store a one-time link; when it expires. An earlier one of the same purpose is void by that."""
        ...

    async def take_link(self, digest: str, purpose: str) -> UUID | None:
        """Use a one-time link up; whose it is."""
        ...


class PasswordHashes(Protocol):
    """Hashes that are slow on purpose."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, known: str | None, password: str) -> bool:
        """False, and as slowly, where no hash is known."""
        ...

    def is_weak(self, known: str) -> bool:
        """Whether it should be made anew at the next chance."""
        ...


class People(Protocol):
    """All people, for administrators."""

    async def page(self, words: str | None, after: UUID | None, limit: int) -> bytes:
        """A JSON array, newest first, each with limits and use. Raises InvalidCursor."""
        ...

    async def one(self, user_id: UUID) -> bytes | None: ...

    async def set_admin(self, user_id: UUID, admin: bool) -> bool:
        """False where there is no such account."""
        ...

    async def set_disabled(self, user_id: UUID, disabled: bool) -> None: ...


class Keys(Protocol):
    """API keys. Only a key's digest is stored."""

    async def create(self, owner: UUID, facts: KeyFacts, digest: str, expires_at: datetime | None) -> bytes:
        """The new key as JSON, without its secret. Raises Conflict past the limit of keys."""
        ...

    async def list(self, owner: UUID) -> bytes:
        """A JSON array, newest first, with those that are revoked."""
        ...

    async def revoke(self, owner: UUID | None, key_id: UUID) -> bool:
        """False where there is no such key of that person; None is anybody's."""
        ...

    async def find(self, digest: str) -> tuple[Account, Sequence[str]] | None:
        """Whose key it is, and its scopes, if it is valid now; books that it was used."""
        ...


class UseBook(Protocol):
    """What people may use, and do use."""

    async def own_limits(self, user_id: UUID) -> Json:
        """Limits that differ from the installation's; null is the installation's."""
        ...

    async def use(self, user_id: UUID) -> Json:
        """bytes_stored, jobs_per_day, jobs_waiting and jobs_running as they are now; counts stop at 10,000."""
        ...

    async def set_limits(self, user_id: UUID, changes: Mapping[str, int | None]) -> None:
        """None is the installation's limit again. Raises NotFound."""
        ...


class Rates(Protocol):
    """Rates, the same for all processes of an installation."""

    async def take(self, buckets: Mapping[str, tuple[int, float]]) -> float:
        """One drop into each bucket (how many fit in, seconds between drops), or into none and the seconds to wait."""
        ...


class WorkflowCatalog(Protocol):
    """The workflow types that are installed."""

    def list(self) -> Sequence[Workflow]: ...

    def broken(self) -> dict[str, str]:
        """Folders that can't be used, and why."""
        ...

    def get(self, workflow_type: str) -> Workflow:
        """Raises UnknownWorkflow, which names near matches."""
        ...
