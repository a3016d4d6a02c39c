"""The page itself: the built front end, and the browser's account with it."""

from pathlib import Path

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, RedirectResponse, Response

from rushes.domain.errors import Forbidden, NotFound
from rushes.domain.principal import ANON
from rushes.ports import JobQuery
from rushes.web.context import Context, Ctx
from rushes.web.identity import current, set_session, sign_in_anonymously

router = APIRouter(include_in_schema=False)

NOT_BUILT = (
    "<!doctype html><title>Rushes</title><h1>Rushes</h1><p>The page has not been built. "
    "Run <code>make setup</code>, then start again. The API is described at <a href=/docs>/docs</a>."
)


def policy(store: str | None) -> str:
    """What the page may load: its own, and files from where the store serves them itself."""
    own = f"'self' {store}" if store else "'self'"
    return (
        f"default-src 'self'; img-src {own} data: blob:; media-src {own} blob:; connect-src {own}; "
        "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'none'; frame-ancestors 'none'; "
        "form-action 'self'"
    )


@router.get("/")
async def page(request: Request, ctx: Ctx) -> Response:
    """The feed; a browser that comes for the first time gets an anonymous account of its own."""
    index = ctx.static / "index.html" if ctx.static else None
    answer: Response
    if index and index.is_file():
        answer = FileResponse(
            index,
            headers={
                "Cache-Control": "no-cache",
                "Content-Security-Policy": policy(ctx.storage.signed_origin),
            },
        )
    else:
        answer = HTMLResponse(NOT_BUILT, 503)
    if ctx.entrance.anonymous_allowed and await _is_nobody(request, ctx):
        if not request.query_params and await _something_to_see(ctx):
            answer = RedirectResponse("/?scope=all", 303)  # a newcomer's own feed is empty
        _, token = await sign_in_anonymously(request, ctx)
        set_session(answer, token, secure=request.url.scheme == "https")
    return answer


async def _something_to_see(ctx: Context) -> bool:
    return (await ctx.reader.page(ANON, JobQuery(limit=1))).last_id is not None


async def _is_nobody(request: Request, ctx: Context) -> bool:
    try:
        return (await current(request, ctx)).user_id is None
    except Forbidden:
        return False  # a disabled account: the page says so


@router.get("/assets/{name:path}")
async def asset(name: str, ctx: Ctx) -> Response:
    """Built files; their names carry a hash, so they never change."""
    return _static(ctx.static, f"assets/{name}", "public, max-age=31536000, immutable")


@router.get("/{name}.{extension}")
async def root_file(name: str, extension: str, ctx: Ctx) -> Response:
    """favicon.svg, manifest.webmanifest and the like."""
    return _static(ctx.static, f"{name}.{extension}", "max-age=3600")


def _static(root: Path | None, name: str, cache: str) -> Response:
    found = (root / name).resolve() if root and "\x00" not in name else None
    if found is None or root is None or not found.is_relative_to(root.resolve()) or not found.is_file():
        raise NotFound("There is no such file.")
    return FileResponse(found, headers={"Cache-Control": cache, "X-Content-Type-Options": "nosniff"})
