"""/api/limits: what each person may use."""

from dataclasses import asdict
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import Field

from rushes.domain.errors import InvalidInput
from rushes.web.context import Ctx
from rushes.web.errors import documented
from rushes.web.identity import Current
from rushes.web.schemas import In, Out

router = APIRouter(prefix="/api/limits", tags=["accounts"])

Jobs = Annotated[int, Field(ge=0, lt=2**31, strict=True)] | Literal["off"] | None
Bytes = Annotated[int, Field(ge=0, lt=2**53, strict=True)] | Literal["off"] | None


class LimitsOut(Out):
    bytes_stored: int | None
    jobs_per_day: int | None
    jobs_waiting: int | None
    jobs_running: int | None
    upload_video_bytes: int
    upload_other_bytes: int


class LimitChanges(In):
    """A number, `off` for no limit, null for the installation's limit; what isn't named stays."""

    bytes_stored: Bytes = None
    jobs_per_day: Jobs = None
    jobs_waiting: Jobs = None
    jobs_running: Jobs = None
    upload_bytes: Bytes = None


@router.get("", responses=documented(401, 403))
async def show_limits(ctx: Ctx, _: Current) -> LimitsOut:
    """The installation's limits for each person; null is no limit. One's own are at /api/me."""
    usual: dict[str, Any] = asdict(ctx.limits.defaults)
    usual.pop("upload_bytes")
    uploads = ctx.uploads.upload_limits
    return LimitsOut(**usual, upload_video_bytes=uploads.video_bytes, upload_other_bytes=uploads.other_bytes)


@router.patch("/{user_id}", status_code=204, responses=documented(400, 401, 403, 404, 413))
async def change_limits(user_id: UUID, changes: LimitChanges, ctx: Ctx, principal: Current) -> Response:
    """Give one person limits of their own; for administrators."""
    named = changes.model_dump(exclude_unset=True)
    if not named:
        raise InvalidInput({"body": "names no limit; give bytes_stored, jobs_per_day or another"})
    await ctx.limits.change(principal, user_id, named)
    return Response(status_code=204)
