"""Completed jobs whose pictures lack previews."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from rushes.ports.shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureJob:
    """What a preview is made of."""

    job_id: UUID
    workflow_type: str
    prompt_id: str
    attempt: int
    outputs: Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PicturePage:
    """Jobs without previews among those that completed in a stretch of the event log, which ends at `through`."""

    jobs: Sequence[PictureJob]
    through: int
    more: bool


class PreviewStore(Protocol):
    """Reads the event log once, a page at a time: where nothing is missing there is little to read."""

    async def begin(self, *, every_seconds: float) -> int | None:
        """Up to where the log was looked at, if a look is due and nobody else has taken it."""
        ...

    async def page(self, after: int, *, late_seconds: float, limit: int) -> PicturePage:
        """The next events that are so old at least, at most `limit` of them."""
        ...

    async def passed(self, through: int) -> None:
        """Up to there all is done."""
        ...

    async def job(self, job_id: UUID) -> PictureJob | None:
        """A completed job."""
        ...

    async def add(self, job: PictureJob, outputs: Json) -> None:
        """The same outputs with their previews."""
        ...
