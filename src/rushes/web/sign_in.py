"""/api/auth: sign up, in and out; passwords; one-time links."""

from typing import Annotated

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response
from pydantic import Field

from rushes.domain.api_key import is_api_key
from rushes.domain.errors import Forbidden, InvalidInput, Unauthenticated
from rushes.domain.principal import Principal
from rushes.services.accounts import LocalAccounts
from rushes.web.context import Context, Ctx
from rushes.web.errors import documented
from rushes.web.identity import (
    COOKIE,
    Current,
    address_of,
    credentials,
    drop_session,
    owner,
    refuse_foreign_page,
    set_session,
    sign_in_anonymously,
)
from rushes.web.me import Me, shown
from rushes.web.schemas import CleanText, In, Out

router = APIRouter(tags=["accounts"])

Text = Annotated[CleanText, Field(max_length=1000)]


class Token(Out):
    token: str
    user: Me


class Ways(Out):
    kinds: list[str]
    anonymous: bool
    sign_up: bool
    supabase_url: str | None = None


class Account(In):
    email: Text
    password: Text


class NewPassword(In):
    new_password: Text
    current_password: Text | None = None
    token: Annotated[Text | None, Field(description="of a link that an administrator made")] = None


class SignOut(In):
    everywhere: Annotated[bool, Field(description="end all sessions of the account")] = False


class Foreign(In):
    token: Annotated[str, Field(min_length=1, max_length=16_384)]


@router.get("/api/auth", responses=documented())
async def ways(ctx: Ctx) -> Ways:
    """How one can sign in here."""
    way = ctx.entrance
    return Ways(
        kinds=list(way.kinds),
        anonymous=way.anonymous_allowed,
        sign_up=way.local is not None and way.local.sign_up_allowed,
        supabase_url=way.supabase_url,
    )


@router.post("/api/auth/anonymous", status_code=201, responses=documented(401, 403, 429))
async def new_anonymous(request: Request, response: Response, ctx: Ctx) -> Token:
    """A new anonymous account: the cookie for a browser, the token (Authorization: Bearer) for a script."""
    refuse_foreign_page(request)
    principal, token = await sign_in_anonymously(request, ctx)
    return _begun(request, response, principal, token)


@router.post("/api/auth/sign-up", status_code=201, responses=documented(400, 401, 403, 409, 413, 429))
async def sign_up(
    asked: Account, request: Request, response: Response, ctx: Ctx, principal: Current
) -> Token:
    """An account with e-mail address and password. An anonymous account is claimed: its jobs stay."""
    local = _local(ctx)
    if "admin" not in principal.scopes:
        raise Forbidden("An API key can't claim its account. Sign up with the session.")
    person = await local.sign_up(principal, asked.email, asked.password, address=address_of(request))
    return await _signed_in(request, response, ctx, person)


@router.post("/api/auth/sign-in", responses=documented(400, 401, 403, 413, 429))
async def sign_in(asked: Account, request: Request, response: Response, ctx: Ctx) -> Token:
    """The cookie for a browser, the token for a script. What is wrong is not told."""
    refuse_foreign_page(request)
    person = await _local(ctx).sign_in(asked.email, asked.password, address=address_of(request))
    return await _signed_in(request, response, ctx, person)


@router.post("/api/auth/sign-out", status_code=204, responses=documented(400, 401, 403, 413))
async def sign_out(request: Request, ctx: Ctx, asked: SignOut | None = None) -> Response:
    """End this session, or all of the account's; a browser forgets its cookie."""
    refuse_foreign_page(request)
    token = credentials(request) or request.cookies.get(COOKIE)
    if token:
        await _end(ctx, token, everywhere=asked is not None and asked.everywhere)
    answer = Response(status_code=204)
    drop_session(answer, secure=request.url.scheme == "https")
    return answer


@router.post("/api/auth/password", responses=documented(400, 401, 403, 409, 413, 429))
async def change_password(asked: NewPassword, request: Request, response: Response, ctx: Ctx) -> Token:
    """Change my password (`current_password`), or set one by an administrator's link (`token`). Other sessions end."""
    refuse_foreign_page(request)
    local, address = _local(ctx), address_of(request)
    person: Principal
    if asked.token is not None:
        person = await local.reset_password(asked.token, asked.new_password, address=address)
    elif asked.current_password is None:
        raise InvalidInput({"current_password": "is missing; give it, or the token of a link"})
    else:
        person = await owner(request, ctx)
        await local.change_password(person, asked.current_password, asked.new_password, address=address)
    return await _signed_in(request, response, ctx, person)


@router.post("/api/auth/session", status_code=204, responses=documented(400, 401, 403, 413))
async def keep_session(asked: Foreign, request: Request, ctx: Ctx) -> Response:
    """Make a token of another sign-in, such as Supabase's, this browser's cookie: for the live feed and files."""
    refuse_foreign_page(request)
    principal = await ctx.entrance.authenticator.principal(asked.token)
    if "admin" not in principal.scopes:
        raise Forbidden("An API key is for scripts; a browser needs a session.")
    answer = Response(status_code=204)
    set_session(answer, asked.token, secure=request.url.scheme == "https")
    return answer


@router.get("/auth/link", include_in_schema=False)
async def use_link(token: str, request: Request, ctx: Ctx) -> Response:
    """A one-time sign-in link, as `rushes up` prints it."""
    local = _local(ctx)
    printed = ctx.entrance.printed_link(token)
    person = await (ctx.entrance.accounts.administrator() if printed else local.redeem(token))
    answer = RedirectResponse("/", 303)
    session = await ctx.entrance.sessions.fresh_token(person)
    set_session(answer, session, secure=request.url.scheme == "https")
    return answer


def _local(ctx: Context) -> LocalAccounts:
    if ctx.entrance.local is None:
        raise Forbidden("There are no local accounts here: sign in through Supabase.")
    return ctx.entrance.local


async def _signed_in(request: Request, response: Response, ctx: Context, person: Principal) -> Token:
    return _begun(request, response, person, await ctx.entrance.sessions.fresh_token(person))


def _begun(request: Request, response: Response, person: Principal, token: str) -> Token:
    set_session(response, token, secure=request.url.scheme == "https")
    return Token(token=token, user=shown(person))


async def _end(ctx: Context, token: str, *, everywhere: bool) -> None:
    """A session that isn't valid any more needs no end."""
    way = ctx.entrance
    if is_api_key(token):
        raise Forbidden("An API key has no session. Revoke it instead.")
    if way.local is None or not way.sessions.knows(token):
        return
    try:
        person = await way.authenticator.principal(token)
    except (Unauthenticated, Forbidden):
        return
    assert person.user_id is not None
    if everywhere:
        await way.local.end_sessions(person.user_id)
    else:
        session = way.sessions.session(token)
        await way.local.end_session(session.user_id, session.id, session.expires_at)
    way.forget(person.user_id)
