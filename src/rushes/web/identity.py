"""Who asks: the session cookie or a bearer token; cookies only from our own pages."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from rushes.domain.errors import Forbidden, Unauthenticated
from rushes.domain.principal import ANON, Principal
from rushes.web.context import Context, Ctx

COOKIE = "rushes_session"
YEAR = 365 * 24 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def set_session(response: Response, token: str, *, secure: bool) -> None:
    """The browser keeps its account by this cookie."""
    response.set_cookie(COOKIE, token, max_age=YEAR, httponly=True, samesite="lax", path="/", secure=secure)


def bearer_token(request: Request) -> str | None:
    """The token of an Authorization header. Raises Unauthenticated for another scheme."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send credentials as: Authorization: Bearer <token>.")
    return token.strip()


def refuse_foreign_page(request: Request) -> None:
    """A page of another origin must not act with this browser's cookie (CSRF)."""
    if request.method in SAFE_METHODS:
        return
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site in ("same-origin", "none"):
        return
    same = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if site is not None or not same:
        raise Forbidden("This request came from another site's page; it was refused.")


async def current(request: Request, ctx: Ctx) -> Principal:
    """Whoever is signed in, else nobody."""
    principal = await _signed_in(request, ctx)
    request.state.user_id = principal.user_id  # for the request's log line
    return principal


async def _signed_in(request: Request, ctx: Context) -> Principal:
    token = bearer_token(request)
    if token:
        return await ctx.sessions.principal(token)
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        refuse_foreign_page(request)
        return ANON
    refuse_foreign_page(request)
    try:
        return await ctx.sessions.principal(cookie)
    except Unauthenticated:
        return ANON  # an old cookie: the browser gets a new account when it needs one


async def somebody(request: Request, response: Response, ctx: Ctx) -> Principal:
    """Whoever is signed in; a browser that isn't gets an anonymous account of its own."""
    principal = await current(request, ctx)
    if principal.user_id is not None:
        return principal
    principal, token = await sign_in_anonymously(ctx)
    set_session(response, token, secure=request.url.scheme == "https")
    request.state.new_session = token
    request.state.user_id = principal.user_id
    return principal


async def sign_in_anonymously(ctx: Context) -> tuple[Principal, str]:
    """A new anonymous account. Raises Unauthenticated where the installation doesn't allow them."""
    if not ctx.sessions.anonymous_allowed:
        raise Unauthenticated("Sign in first: this installation has no anonymous accounts.")
    return await ctx.sessions.new_anonymous()


Current = Annotated[Principal, Depends(current)]
Somebody = Annotated[Principal, Depends(somebody)]
