"""/api/servers, /api/queue and /api/stats: for administrators, but for the queue line."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Response
from pydantic import Field

from rushes.domain.errors import InvalidInput
from rushes.services.server_desk import Trial
from rushes.web.answers import json_bytes
from rushes.web.context import Ctx
from rushes.web.errors import documented
from rushes.web.identity import Current
from rushes.web.schemas import CleanText, In, Out, Rows

router = APIRouter(prefix="/api", tags=["servers and queue"])

TypeOrAll = Annotated[str, Field(max_length=100, pattern=r"^(\*|[a-z0-9][a-z0-9-]*)$")]


class ServerRequest(In):
    url: Annotated[str, Field(min_length=1, max_length=500)]
    name: Annotated[CleanText | None, Field(max_length=100)] = None
    slots: Annotated[int, Field(ge=1, le=16, strict=True)] = 1


class ServerChanges(In):
    name: Annotated[CleanText | None, Field(min_length=1, max_length=100)] = None
    slots: Annotated[int | None, Field(ge=1, le=16, strict=True)] = None
    enabled: Annotated[bool | None, Field(strict=True)] = None
    draining: Annotated[bool | None, Field(strict=True)] = None


class TrialOut(Out):
    ok: bool
    message: str
    version: str | None = None
    milliseconds: float | None = None
    node_classes: int | None = None
    can_run: list[str] = Field(default_factory=list)
    cannot_run: dict[str, str] = Field(default_factory=dict)


class ServerAdded(Out):
    id: UUID
    test: TrialOut


class QueueLine(Out):
    running: int
    waiting: int
    waiting_more: bool
    mine: dict[str, Any]
    servers_up: int
    seconds: list[float] | None = None
    paused: list[str]


class Pause(In):
    workflow_type: TypeOrAll = "*"
    reason: Annotated[CleanText | None, Field(max_length=300)] = None


class Statistics(Out):
    steps: list[dict[str, Any]]
    types: list[dict[str, Any]]
    servers: list[dict[str, Any]]
    errors: list[dict[str, Any]]


@router.get("/servers", response_model=Rows, responses=documented(401, 403))
async def list_servers(ctx: Ctx, principal: Current) -> Response:
    """Every server: version, memory, what is loaded and runs there, its last error."""
    return json_bytes(b'{"data":' + await ctx.desk.list(principal) + b"}")


@router.post("/servers", status_code=201, responses=documented(400, 401, 403, 409, 413))
async def add_server(asked: ServerRequest, ctx: Ctx, principal: Current) -> ServerAdded:
    """Add a server; it is tried first, and refused in words if it is no ComfyUI."""
    server_id, trial = await ctx.desk.add(principal, asked.url, name=asked.name, slots=asked.slots)
    return ServerAdded(id=server_id, test=_shown(trial))


@router.patch("/servers/{server_id}", status_code=204, responses=documented(400, 401, 403, 404, 413))
async def change_server(server_id: UUID, changes: ServerChanges, ctx: Ctx, principal: Current) -> Response:
    """Rename, enable or disable, drain, change slots; what isn't named stays."""
    named = changes.model_dump(exclude_none=True)
    if not named:
        raise InvalidInput({"body": "names nothing to change; give name, slots, enabled or draining"})
    await ctx.desk.change(principal, server_id, named)
    return Response(status_code=204)


@router.delete("/servers/{server_id}", status_code=204, responses=documented(401, 403, 404, 409))
async def remove_server(server_id: UUID, ctx: Ctx, principal: Current) -> Response:
    """Forget a server that runs nothing."""
    await ctx.desk.remove(principal, server_id)
    return Response(status_code=204)


@router.post("/servers/{server_id}/test", responses=documented(401, 403, 404))
async def test_server(server_id: UUID, ctx: Ctx, principal: Current) -> TrialOut:
    """Ask it what it is, and which workflows it has nodes and models for."""
    return _shown(await ctx.desk.test(principal, server_id))


@router.post("/servers/{server_id}/free", status_code=204, responses=documented(401, 403, 404))
async def free_server(server_id: UUID, ctx: Ctx, principal: Current) -> Response:
    """Unload its models and free its memory."""
    await ctx.desk.free(principal, server_id)
    return Response(status_code=204)


@router.get("/queue", response_model=QueueLine, responses=documented(401))
async def queue_line(ctx: Ctx, principal: Current) -> Response:
    """How many run and wait, which place my first waiting job has, and in how many seconds it may be done (a range)."""
    return json_bytes(await ctx.queue.line(principal))


@router.get("/queue/pauses", response_model=Rows, responses=documented(401, 403))
async def list_pauses(ctx: Ctx, principal: Current) -> Response:
    """What is paused."""
    return json_bytes(b'{"data":' + await ctx.desk.pauses(principal) + b"}")


@router.post("/queue/pauses", status_code=204, responses=documented(400, 401, 403, 404, 413))
async def pause(asked: Pause, ctx: Ctx, principal: Current) -> Response:
    """Hold back a workflow type, or `*` for all; what runs goes on."""
    await ctx.desk.pause(principal, asked.workflow_type, asked.reason)
    return Response(status_code=204)


@router.delete("/queue/pauses/{workflow_type}", status_code=204, responses=documented(401, 403, 404))
async def resume(workflow_type: str, ctx: Ctx, principal: Current) -> Response:
    """Let it go on."""
    await ctx.desk.resume(principal, workflow_type)
    return Response(status_code=204)


@router.get("/stats", response_model=Statistics, responses=documented(401, 403))
async def statistics(
    ctx: Ctx, principal: Current, hours: Annotated[int, Query(ge=1, le=24 * 90)] = 24
) -> Response:
    """Throughput, failures, waiting and run times of the last hours, by type, by server and over time."""
    return json_bytes(await ctx.desk.statistics(principal, hours))


def _shown(trial: Trial) -> TrialOut:
    return TrialOut(
        ok=trial.ok,
        message=trial.message,
        version=trial.version,
        milliseconds=trial.milliseconds,
        node_classes=trial.node_classes,
        can_run=list(trial.can_run),
        cannot_run=dict(trial.cannot_run or {}),
    )
