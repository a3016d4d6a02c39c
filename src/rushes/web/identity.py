"""Who asks: a session cookie, a bearer token or an API key; cookies only from our own pages."""

from typing import Annotated

from fastapi import Depends, Request
from starlette.responses import Response

from rushes.domain.api_key import is_api_key
from rushes.domain.errors import Forbidden, Unauthenticated
from rushes.domain.principal import ANON, Principal
from rushes.web.context import Context, Ctx

COOKIE = "rushes_session"
YEAR = 365 * 24 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def set_session(response: Response, token: str, *, secure: bool) -> None:
    """The browser keeps its account by this cookie."""
    response.set_cookie(COOKIE, token, max_age=YEAR, httponly=True, samesite="lax", path="/", secure=secure)


def drop_session(response: Response, *, secure: bool) -> None:
    """The browser forgets its account."""
    response.delete_cookie(COOKIE, httponly=True, samesite="lax", path="/", secure=secure)


def bearer_token(request: Request) -> str | None:
    """The token of an Authorization header. Raises Unauthenticated for another scheme."""
    header = request.headers.get("authorization")
    if header is None:
        return None
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Unauthenticated("Send credentials as: Authorization: Bearer <token>.")
    return token.strip()


def credentials(request: Request) -> str | None:
    """What was sent on purpose, in a header. Raises Unauthenticated."""
    token, key = bearer_token(request), request.headers.get("x-api-key")
    if key is None:
        return token
    if token is not None:
        raise Unauthenticated("Send either Authorization or X-API-Key, not both.")
    if not is_api_key(key.strip()):
        raise Unauthenticated("X-API-Key is for API keys, which begin with rsh_.")
    return key.strip()


def address_of(request: Request) -> str | None:
    """The client's address, as far as it is known."""
    return request.client.host if request.client else None


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
    """Whoever is signed in, else nobody. An API key does only what its scopes name."""
    principal = await _signed_in(request, ctx)
    request.state.user_id = principal.user_id  # for the request's log line
    needed = "read" if request.method in SAFE_METHODS else "submit"
    _check_scope(principal, needed)
    return principal


async def _signed_in(request: Request, ctx: Context) -> Principal:
    token = credentials(request)
    if token:
        return await ctx.entrance.authenticator.principal(token)
    refuse_foreign_page(request)
    cookie = request.cookies.get(COOKIE)
    if not cookie:
        return ANON
    try:
        return await ctx.entrance.authenticator.principal(cookie)
    except Unauthenticated:
        return ANON  # an old cookie: the browser gets a new account when it needs one


async def somebody(request: Request, response: Response, ctx: Ctx) -> Principal:
    """Whoever is signed in; a browser that isn't gets an anonymous account of its own."""
    principal = await current(request, ctx)
    if principal.user_id is not None:
        return principal
    principal, token = await sign_in_anonymously(request, ctx)
    set_session(response, token, secure=request.url.scheme == "https")
    request.state.new_session = token
    request.state.user_id = principal.user_id
    return principal


async def owner(request: Request, ctx: Ctx) -> Principal:
    """Whoever may manage the account itself: a session, or an administrator's key for everything."""
    principal = await current(request, ctx)
    if principal.user_id is None:
        raise Unauthenticated("Sign in first.")
    _check_scope(principal, "admin")
    return principal


async def sign_in_anonymously(request: Request, ctx: Context) -> tuple[Principal, str]:
    """A new anonymous account. Raises Unauthenticated where the installation doesn't allow them, TooManyRequests."""
    if not ctx.entrance.anonymous_allowed:
        raise Unauthenticated("Sign in first: this installation has no anonymous accounts.")
    await ctx.entrance.rates.new_account(address_of(request))
    principal = await ctx.entrance.accounts.anonymous()
    return principal, await ctx.entrance.sessions.fresh_token(principal)


def _check_scope(principal: Principal, needed: str) -> None:
    if principal.scopes.isdisjoint({needed, "admin"}):
        raise Forbidden(f"This API key lacks the scope {needed}. Make one that has it, or sign in.")


Current = Annotated[Principal, Depends(current)]
Somebody = Annotated[Principal, Depends(somebody)]
Owner = Annotated[Principal, Depends(owner)]
