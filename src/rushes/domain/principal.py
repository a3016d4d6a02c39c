"""Who asks, and what they may see. The same rule stands in the database's policies; a test compares them."""

import json
from dataclasses import dataclass, field
from uuid import UUID

from rushes.domain.job import Visibility


@dataclass(frozen=True, slots=True, kw_only=True)
class Principal:
    """The person behind a request; `user_id` None is the role `anon`."""

    user_id: UUID | None = None
    is_anonymous: bool = False
    is_admin: bool = False
    email: str | None = None
    scopes: frozenset[str] = field(default_factory=lambda: frozenset({"read", "submit", "admin"}))

    @property
    def role(self) -> str:
        """The Postgres role that this principal's statements run as."""
        return "authenticated" if self.user_id else "anon"

    def claims(self) -> str:
        """The JWT claims as JSON, as PostgREST sets them in `request.jwt.claims`."""
        claims: dict[str, object] = {"role": self.role}
        if self.user_id:
            claims["sub"] = str(self.user_id)
            claims["is_anonymous"] = self.is_anonymous
            claims["app_metadata"] = {"role": "admin"} if self.is_admin else {}
        return json.dumps(claims)

    def may_see(self, owner: UUID | None, visibility: str) -> bool:
        """Whether a job of that owner and visibility is shown to this principal."""
        if self.is_admin or (self.user_id is not None and owner == self.user_id):
            return True
        if visibility == Visibility.TEAM:
            return self.user_id is not None and not self.is_anonymous
        return visibility == Visibility.PUBLIC


ANON = Principal()
