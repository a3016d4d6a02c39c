"""The event log and the hints that say when to look."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from rushes.domain.feed_cursor import FeedCursor


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedChange:
    """A job as it now is, for everybody who may see it, and who could see it before."""

    cursor: FeedCursor  # after the newest event behind it
    xids: tuple[int, ...]  # the transactions of all the events behind it
    job_id: UUID
    user_id: UUID | None
    visibility: str
    deleted: bool
    card: bytes  # the feed's card, JSON; empty where the job is gone for good
    was_visibility: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedPage:
    """What is new in the log, or the first of it."""

    changes: Sequence[FeedChange]
    cursor: FeedCursor  # after all of them
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A hint that came over LISTEN: something changed, or one job's progress."""

    kind: str  # jobs | progress | cancel
    payload: str = ""


class JobEvents(Protocol):
    """The event log, and the hints that say when to look."""

    def listen(self, *kinds: str) -> AsyncIterator[Signal]:
        """Hints for ever, reconnecting by itself; yields kind `jobs` after each (re)connect."""
        ...

    async def notify(self, kind: str, payload: str = "") -> None: ...

    async def head(self) -> FeedCursor:
        """The cursor of now."""
        ...

    async def since(self, cursor: FeedCursor, *, limit: int = 500) -> FeedPage:
        """Jobs changed after that cursor, each once, as soon as they are committed. Raises InvalidCursor."""
        ...

    async def whose(self, job_id: UUID) -> tuple[UUID | None, str] | None:
        """Owner and visibility of a job that is not in the trash."""
        ...
