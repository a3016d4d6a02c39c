"""What goes when its time is up."""

from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from uuid import UUID

from rushes.domain.principal import Principal


class RetentionStore(Protocol):
    """Deletes in batches; rows that somebody else works on are passed over. Each answers how many went."""

    async def begin(self, chore: str, *, every_seconds: float) -> bool:
        """Whether this process does it now: it is due, and nobody else has taken it."""
        ...

    async def ended(self, chore: str, found: Mapping[str, int]) -> None:
        """Book what it found."""
        ...

    async def kinds(self, statuses: tuple[str, ...]) -> list[tuple[str, str]]:
        """Status and workflow type of which there are ended jobs."""
        ...

    async def purge_ended(self, status: str, workflow_type: str, *, before: datetime, limit: int) -> int:
        """Jobs that ended so, and were last touched, before that moment."""
        ...

    async def purge_trash(self, *, before: datetime, limit: int) -> int: ...

    async def purge_expired(self, *, before: datetime, limit: int) -> int:
        """Jobs with an `expires_at` of their own."""
        ...

    async def prune(self, what: str, *, before: datetime, limit: int) -> int:
        """One of PRUNED, older than that."""
        ...


# What `prune` knows, besides jobs.
PRUNED = ("keys", "rates", "words", "catalogs", "needs", "dispatchers", "sessions")


class TrashStore(Protocol):
    """The trash, as people empty it."""

    async def purge(self, principal: Principal, job_id: UUID) -> None:
        """One job for good, with all that is its own. Raises NotFound, Conflict."""
        ...

    async def empty(self, user_id: UUID, *, limit: int) -> int:
        """So many of a person's trash, newest first; how many went."""
        ...
