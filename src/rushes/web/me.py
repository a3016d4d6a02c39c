"""/api/me and signing in: anonymous accounts, and the administrator's one-time link."""

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from rushes.domain.principal import Principal
from rushes.web.context import Ctx
from rushes.web.errors import documented
from rushes.web.identity import Current, refuse_foreign_page, set_session, sign_in_anonymously
from rushes.web.schemas import Me, Token

router = APIRouter(tags=["accounts"])


@router.get("/api/me", responses=documented(401))
async def me(principal: Current) -> Me:
    """Who I am; `id` is null for nobody."""
    return _me(principal)


@router.post("/api/auth/anonymous", status_code=201, responses=documented(401, 403))
async def new_anonymous(request: Request, response: Response, ctx: Ctx) -> Token:
    """A new anonymous account: the cookie for a browser, the token (Authorization: Bearer) for a script."""
    refuse_foreign_page(request)
    principal, token = await sign_in_anonymously(ctx)
    set_session(response, token, secure=request.url.scheme == "https")
    return Token(token=token, user=_me(principal))


@router.get("/auth/link", include_in_schema=False)
async def use_link(token: str, request: Request, ctx: Ctx) -> Response:
    """A one-time sign-in link, as `rushes up` prints it."""
    _, session = await ctx.sessions.redeem(token)
    answer = RedirectResponse("/", 303)
    set_session(answer, session, secure=request.url.scheme == "https")
    return answer


def _me(principal: Principal) -> Me:
    return Me(
        id=principal.user_id,
        is_anonymous=principal.is_anonymous,
        is_admin=principal.is_admin,
        email=principal.email,
    )
