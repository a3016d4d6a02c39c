"""/api/jobs: list, one, its graph, attempts and events; cancel, edit, delete, restore."""

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response

from rushes.domain.errors import InvalidInput
from rushes.domain.principal import Principal
from rushes.web.answers import found, json_bytes, rows
from rushes.web.context import Context, Ctx
from rushes.web.cursor import encode
from rushes.web.errors import documented
from rushes.web.identity import Current
from rushes.web.job_filters import Filters, listing, paged
from rushes.web.schemas import Job, JobChanges, JobCounts, JobPage, Rows, SentGraph

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


@router.get("", response_model=JobPage, responses=documented(400, 401))
async def list_jobs(
    ctx: Ctx,
    principal: Current,
    query: Filters,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=200, description="next_cursor of the page before")] = None,
) -> Response:
    """Jobs that I may see, newest first."""
    page = paged(query, limit, after)
    cards = await ctx.reader.page(principal, page)
    return json_bytes(_envelope(cards.data, cards.last_id, cards.has_more, listing(query)))


@router.get("/counts", response_model=JobCounts, responses=documented(400, 401))
async def count_jobs(ctx: Ctx, principal: Current, query: Filters) -> Response:
    """How many jobs there are for the same filters, by type and status; each count stops at 1,000."""
    return json_bytes(b'{"data":' + await ctx.reader.counts(principal, query) + b"}")


@router.get("/{job_id}", response_model=Job, responses=documented(401, 404))
async def show_job(ctx: Ctx, principal: Current, job_id: UUID) -> Response:
    """One job; its owner and administrators see more of it."""
    return await _job(ctx, principal, job_id)


@router.get("/{job_id}/graph", response_model=SentGraph, responses=documented(401, 404))
async def show_graph(ctx: Ctx, principal: Current, job_id: UUID) -> Response:
    """The exact graph that was sent to ComfyUI; for its owner and administrators."""
    return json_bytes(found(await ctx.reader.graph(principal, job_id)))


@router.get("/{job_id}/attempts", response_model=Rows, responses=documented(401, 404))
async def list_attempts(ctx: Ctx, principal: Current, job_id: UUID) -> Response:
    """Every try, on which server and how it ended; for its owner and administrators."""
    return rows(await ctx.reader.attempts(principal, job_id))


@router.get("/{job_id}/events", response_model=Rows, responses=documented(401, 404))
async def list_events(ctx: Ctx, principal: Current, job_id: UUID) -> Response:
    """Its timeline; for its owner and administrators."""
    return rows(await ctx.reader.events(principal, job_id))


@router.post("/{job_id}/cancel", response_model=Job, responses=documented(401, 403, 404, 409))
async def cancel_job(ctx: Ctx, principal: Current, job_id: UUID) -> Response:
    """Cancel: a waiting job at once, a running one as soon as ComfyUI lets go of it."""
    await ctx.lifecycle.cancel(principal, job_id)
    return await _job(ctx, principal, job_id)


@router.patch("/{job_id}", response_model=Job, responses=documented(400, 401, 403, 404, 413))
async def edit_job(ctx: Ctx, principal: Current, job_id: UUID, changes: JobChanges) -> Response:
    """Change title, rating, tags or visibility; what isn't named stays."""
    named: dict[str, Any] = changes.model_dump(exclude_unset=True)
    if not named:
        raise InvalidInput({"body": "names nothing to change; give title, rating, tags or visibility"})
    await ctx.lifecycle.edit(principal, job_id, named)
    return await _job(ctx, principal, job_id)


@router.delete("/{job_id}", status_code=204, responses=documented(401, 403, 404))
async def delete_job(ctx: Ctx, principal: Current, job_id: UUID) -> Response:
    """Into the trash; a job that hasn't ended is cancelled too."""
    await ctx.lifecycle.delete(principal, job_id)
    return Response(status_code=204)


@router.post("/{job_id}/restore", response_model=Job, responses=documented(401, 403, 404))
async def restore_job(ctx: Ctx, principal: Current, job_id: UUID) -> Response:
    """Out of the trash."""
    await ctx.lifecycle.restore(principal, job_id)
    return await _job(ctx, principal, job_id)


async def _job(ctx: Context, principal: Principal, job_id: UUID) -> Response:
    return json_bytes(found(await ctx.reader.one(principal, job_id)))


def _envelope(data: bytes, last_id: UUID | None, has_more: bool, listing_of: str) -> bytes:
    cursor = encode(last_id, listing_of) if has_more and last_id else None
    pagination = json.dumps({"has_more": has_more, "next_cursor": cursor})
    return b'{"data":' + data + b',"pagination":' + pagination.encode() + b"}"
