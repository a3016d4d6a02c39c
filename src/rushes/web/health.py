"""/healthz, /readyz and /metrics."""

import asyncio
import secrets
from typing import Any

import structlog
from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response

from rushes.domain.errors import Forbidden, RushesError, StorageFull
from rushes.ports import Readiness
from rushes.web.context import Context, Ctx
from rushes.web.errors import documented
from rushes.web.identity import bearer_token, current
from rushes.web.schemas import Ready

log = structlog.get_logger("rushes.ready")
router = APIRouter(tags=["operations"])

PATIENCE = 3.0  # seconds: whoever asks wants an answer, not to wait for a database


@router.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process answers; nothing else is asked."""
    return {"status": "ok"}


@router.get("/readyz", response_model=Ready, responses={503: {"model": Ready}})
async def readyz(ctx: Ctx, request: Request) -> JSONResponse:
    """Whether database, storage and a dispatcher are there; says which part is missing. ComfyUI is told, not needed.

    Where things are, and what they said, is told to administrators only.
    """
    parts = await _parts(ctx, whole=await _is_admin(ctx, request))
    ready = all(part["ok"] for name, part in parts.items() if name != "comfyui")
    return JSONResponse({"ready": ready, "parts": parts}, 200 if ready else 503)


@router.get(
    "/metrics",
    response_class=Response,
    responses={**documented(401, 403), 200: {"content": {"text/plain": {}}}},
)
async def metrics(ctx: Ctx, request: Request) -> Response:
    """For Prometheus. Open on loopback addresses; else for administrators, and with RUSHES_METRICS_TOKEN."""
    if not await _may_scrape(ctx, request):
        raise Forbidden(
            "Metrics name servers, so they are not for everybody. Set RUSHES_METRICS_TOKEN, and send it as: "
            "Authorization: Bearer <token>."
        )
    shown = await ctx.scraping.page.exposition()
    return Response(shown.body, media_type=shown.content_type)


async def _may_scrape(ctx: Context, request: Request) -> bool:
    if ctx.scraping.open:
        return True
    sent = bearer_token(request)
    if sent and ctx.scraping.token and secrets.compare_digest(sent.encode(), ctx.scraping.token.encode()):
        return True
    return (await current(request, ctx)).is_admin


async def _is_admin(ctx: Context, request: Request) -> bool:
    """Whoever isn't anybody, or can't be told while the database is away, is none."""
    try:
        async with asyncio.timeout(PATIENCE):
            return (await current(request, ctx)).is_admin
    except (RushesError, TimeoutError):
        return False


async def _parts(ctx: Context, *, whole: bool) -> dict[str, dict[str, Any]]:
    parts: dict[str, dict[str, Any]] = {"database": _part(True, "answers")}
    try:
        await ctx.storage.check()
        parts["storage"] = _part(True, "can be written")
    except RushesError as error:
        parts["storage"] = _part(False, _told("storage", error, whole))
    try:
        async with asyncio.timeout(PATIENCE):
            readiness = await ctx.processes.readiness()
    except RushesError as error:
        parts["database"] = _part(False, _told("database", error, whole))
        return parts
    except TimeoutError:
        parts["database"] = _part(False, f"doesn't answer within {PATIENCE:g} s: is it up, and reachable?")
        return parts
    if not readiness.sees_rows:
        parts["database"] = _part(False, "the service role sees no rows: row level security hides them")
    parts["dispatcher"] = _dispatcher(readiness)
    parts["comfyui"] = _comfyui(readiness, whole)
    return parts


def _dispatcher(readiness: Readiness) -> dict[str, Any]:
    if readiness.dispatchers:
        return _part(True, f"{readiness.dispatchers} running")
    return _part(False, "no dispatcher is running, jobs wait; start `rushes up` or `rushes dispatch`")


def _told(part: str, error: RushesError, whole: bool) -> str:
    if whole or isinstance(error, StorageFull):
        return error.message
    log.warning("not ready", part=part, error=error.message)
    return "can't be used; administrators and the log are told why"


def _comfyui(readiness: Readiness, whole: bool) -> dict[str, Any]:
    if readiness.servers_up:
        return _part(True, f"{readiness.servers_up} of {readiness.servers} servers answer")
    if not readiness.servers:
        return _part(False, "no ComfyUI server is set up; name one with RUSHES_COMFY_URLS or --comfy-url")
    why = f" ({readiness.last_error})" if whole and readiness.last_error else ""
    return _part(False, f"no ComfyUI server can be reached{why}; jobs wait until one is back")


def _part(ok: bool, message: str) -> dict[str, Any]:
    return {"ok": ok, "message": message}
