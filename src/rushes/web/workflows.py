"""/api/workflows: the types that are installed, with their forms."""

from pathlib import Path

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response

from rushes.domain.errors import NotFound
from rushes.domain.schema import json_schema
from rushes.domain.workflow import Workflow
from rushes.services.maintenance import waiting_reason
from rushes.services.submission import PREVIEW, PRODUCTION
from rushes.web.context import Context, Ctx
from rushes.web.errors import documented
from rushes.web.schemas import WorkflowDetail, WorkflowList, WorkflowSummary

router = APIRouter(prefix="/api/workflows", tags=["workflows"])


@router.get("", responses=documented())
async def list_workflows(ctx: Ctx) -> WorkflowList:
    """Every workflow type; `broken` names folders that can't be used, and why."""
    general = waiting_reason(await ctx.servers.list())
    return WorkflowList(
        data=[await _summary(ctx, workflow, general) for workflow in ctx.catalog.list()],
        preview_default=await ctx.submission.preview_default(),
        broken=ctx.catalog.broken(),
    )


@router.get("/{workflow_type}", responses=documented(404))
async def show_workflow(workflow_type: str, ctx: Ctx) -> WorkflowDetail:
    """One type: its JSON Schema is what `inputs` must look like, and what the form is made from."""
    workflow = ctx.catalog.get(workflow_type)
    general = waiting_reason(await ctx.servers.list())
    summary = await _summary(ctx, workflow, general)
    return WorkflowDetail(
        **summary.model_dump(),
        input_schema=json_schema(workflow),
        graphs=sorted(workflow.graphs),
    )


@router.get(
    "/{workflow_type}/picture",
    response_class=Response,
    responses={**documented(404), 200: {"content": {"image/webp": {}}}},
)
async def show_picture(workflow_type: str, ctx: Ctx) -> Response:
    """The picture for the picker."""
    picture = _picture(ctx, workflow_type)
    return FileResponse(picture, media_type="image/webp", headers={"Cache-Control": "max-age=300"})


def _picture(ctx: Context, workflow_type: str) -> Path:
    picture = ctx.catalog.get(workflow_type).picture
    if picture is None or not Path(picture).is_file():
        raise NotFound(f"{workflow_type} has no picture.")
    return Path(picture)


async def _summary(ctx: Context, workflow: Workflow, general: str | None) -> WorkflowSummary:
    manifest = workflow.manifest
    reason = general or await ctx.fleet.runnable(workflow, PRODUCTION)
    no_preview = general or await ctx.fleet.runnable(workflow, PREVIEW)
    return WorkflowSummary(
        type=workflow.type,
        title=manifest.title,
        description=manifest.description,
        icon=manifest.icon,
        output_kind=manifest.output,
        version=workflow.version,
        picture_url=f"/api/workflows/{workflow.type}/picture" if workflow.picture else None,
        available=reason is None,
        preview_available=no_preview is None,
        reason=reason,
    )
