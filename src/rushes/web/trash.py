"""The trash: what is in it goes for good, by hand or when its time is up. GET /api/jobs?trash=true lists it."""

from uuid import UUID

from fastapi import APIRouter, Response

from rushes.domain.retention import STATUSES
from rushes.web.context import Ctx
from rushes.web.errors import documented
from rushes.web.identity import Current
from rushes.web.schemas import EmptiedTrash, RetentionShown

router = APIRouter(prefix="/api", tags=["trash"])


@router.post("/jobs/{job_id}/purge", status_code=204, responses=documented(401, 403, 404, 409))
async def purge_job(ctx: Ctx, principal: Current, job_id: UUID) -> Response:
    """For good, with all its files. Only out of the trash; for its owner and administrators."""
    await ctx.trash.purge(principal, job_id)
    return Response(status_code=204)


@router.post("/trash/empty", responses=documented(401, 403))
async def empty_trash(ctx: Ctx, principal: Current) -> EmptiedTrash:
    """All of my trash for good. `more`: it was so much that some is left; ask again."""
    purged, more = await ctx.trash.empty(principal)
    return EmptiedTrash(purged=purged, more=more)


@router.get("/retention", responses=documented(401))
async def show_retention(ctx: Ctx, _: Current) -> RetentionShown:
    """After how many days jobs go for good by themselves; null is never."""
    rules = ctx.retention.rules
    types = {
        name: {status: rules.days(status, own) for status in STATUSES}
        for name, own in ctx.retention.types().items()
    }
    return RetentionShown(
        completed_days=rules.completed,
        failed_days=rules.failed,
        cancelled_days=rules.cancelled,
        trash_days=rules.trash,
        types=types,
    )
