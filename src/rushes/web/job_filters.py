"""The feed's filters, as query parameters."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Literal

from fastapi import Depends, Query
from pydantic import AfterValidator, AwareDatetime

from rushes.ports import JobQuery
from rushes.web.cursor import decode
from rushes.web.schemas import JobStatusName, MediaKind

Text = Annotated[str | None, Query(max_length=500, pattern=r"^[^\x00]*$")]


_OLDEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(3000, 1, 1, tzinfo=UTC)


def _within(moment: datetime) -> datetime:
    """No job is outside, and at the ends of the calendar date arithmetic overflows."""
    return max(_OLDEST, min(moment, _LATEST))


Moment = Annotated[AwareDatetime, AfterValidator(_within)]


def filters(
    scope: Annotated[Literal["mine", "all"], Query(description="all: whatever I may see")] = "all",
    workflow_type: Annotated[
        list[Annotated[str, Query(max_length=100, pattern=r"^[^\x00]*$")]] | None, Query()
    ] = None,
    status: Annotated[list[JobStatusName] | None, Query()] = None,
    kind: Annotated[list[MediaKind] | None, Query()] = None,
    q: Annotated[Text, Query(description='words, "phrase", -word; in prompt and title')] = None,
    tag: Text = None,
    rating_min: Annotated[int | None, Query(ge=0, le=5)] = None,
    job_id: Text = None,
    created_after: Moment | None = None,
    created_before: Moment | None = None,
    trash: Annotated[bool, Query(description="only what is in my trash")] = False,
) -> JobQuery:
    """All may be combined."""
    return JobQuery(
        scope=scope,
        workflow_types=tuple(workflow_type or ()),
        statuses=tuple(status or ()),
        kinds=tuple(kind or ()),
        q=q or None,
        tag=tag or None,
        rating_min=rating_min,
        job_id=job_id or None,
        created_after=created_after,
        created_before=created_before,
        trash=trash,
    )


Filters = Annotated[JobQuery, Depends(filters)]


def listing(query: JobQuery) -> str:
    """What a cursor of this list is bound to."""
    return f"jobs:{replace(query, limit=0, after=None)!r}"


def paged(query: JobQuery, limit: int, after: str | None) -> JobQuery:
    """The filters with a page. Raises InvalidCursor."""
    last = decode(after, listing(query)) if after is not None else None
    return replace(query, limit=limit, after=last)
