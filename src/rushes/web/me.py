"""/api/me: who I am, what I may use and what I do use."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from rushes.domain.principal import Principal
from rushes.web.context import Ctx
from rushes.web.errors import documented
from rushes.web.identity import Current
from rushes.web.schemas import Out

router = APIRouter(tags=["accounts"])


class Me(Out):
    id: UUID | None
    is_anonymous: bool
    is_admin: bool
    email: str | None = None
    limits: Annotated[
        dict[str, Any] | None, Field(description="bytes_stored, jobs_per_day …; null is no limit")
    ] = None
    use: Annotated[dict[str, Any] | None, Field(description="what of the limits is used now")] = None


@router.get("/api/me", responses=documented(401, 403), response_model_exclude_unset=True)
async def me(ctx: Ctx, principal: Current) -> Me:
    """Who I am, with limits and use; `id` is null for nobody."""
    if principal.user_id is None:
        return shown(principal)
    allowance = await ctx.limits.allowance(principal.user_id)
    return shown(principal, limits=allowance.limits, use=allowance.use)


def shown(principal: Principal, **more: Any) -> Me:
    """A principal as the API shows it."""
    return Me(
        id=principal.user_id,
        is_anonymous=principal.is_anonymous,
        is_admin=principal.is_admin,
        email=principal.email,
        **more,
    )
