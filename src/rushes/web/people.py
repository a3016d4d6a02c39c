"""/api/users: everybody, for administrators."""

import json
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response
from pydantic import Field

from rushes.domain.errors import InvalidInput
from rushes.services.accounts import Link
from rushes.web.answers import json_bytes
from rushes.web.context import Context, Ctx
from rushes.web.cursor import decode, encode
from rushes.web.errors import documented
from rushes.web.identity import Current
from rushes.web.schemas import CleanText, In, Out, Pagination

router = APIRouter(prefix="/api/users", tags=["people"])


class Person(Out):
    id: UUID
    email: str | None
    is_anonymous: bool
    is_admin: bool
    created_at: datetime | None
    disabled_at: datetime | None
    last_sign_in_at: datetime | None
    use: dict[str, int]
    limits: dict[str, int | None]


class PersonPage(Out):
    data: list[Person]
    pagination: Pagination


class PersonRequest(In):
    email: Annotated[CleanText, Field(max_length=254)]
    is_admin: Annotated[bool, Field(strict=True)] = False


class PersonChanges(In):
    is_admin: Annotated[bool | None, Field(strict=True)] = None
    disabled: Annotated[bool | None, Field(strict=True)] = None


class LinkOut(Out):
    token: str
    url: str
    expires_at: datetime


class PersonAdded(Out):
    id: UUID
    link: LinkOut


@router.get("", response_model=PersonPage, responses=documented(400, 401, 403))
async def list_people(
    ctx: Ctx,
    principal: Current,
    q: Annotated[
        str | None, Query(max_length=254, pattern=r"^[^\x00]*$", description="part of an address, or an id")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
    after: Annotated[str | None, Query(max_length=200, description="next_cursor of the page before")] = None,
) -> Response:
    """Everybody, newest first, with limits (null: the installation's) and use."""
    listing = f"people {q}"
    last = decode(after, listing) if after else None
    found: list[dict[str, Any]] = json.loads(
        await ctx.people.page(principal, words=q, after=last, limit=limit + 1)
    )
    more = len(found) > limit
    cursor = encode(UUID(found[limit - 1]["id"]), listing) if more else None
    page = {"data": found[:limit], "pagination": {"has_more": more, "next_cursor": cursor}}
    return json_bytes(json.dumps(page).encode())


@router.post("", status_code=201, responses=documented(400, 401, 403, 409, 413))
async def add_person(asked: PersonRequest, request: Request, ctx: Ctx, principal: Current) -> PersonAdded:
    """A new account, and the link by which its owner sets a password."""
    user_id, link = await ctx.people.add(principal, asked.email, is_admin=asked.is_admin)
    return PersonAdded(id=user_id, link=_shown(link, request, ctx))


@router.get("/{user_id}", response_model=Person, responses=documented(401, 403, 404))
async def show_person(user_id: UUID, ctx: Ctx, principal: Current) -> Response:
    """One person, with limits and use."""
    return json_bytes(await ctx.people.one(principal, user_id))


@router.patch("/{user_id}", response_model=Person, responses=documented(400, 401, 403, 404, 409, 413))
async def change_person(user_id: UUID, changes: PersonChanges, ctx: Ctx, principal: Current) -> Response:
    """Make somebody an administrator, or disable an account; what isn't named stays."""
    if changes.is_admin is None and changes.disabled is None:
        raise InvalidInput({"body": "names nothing to change; give is_admin or disabled"})
    await ctx.people.one(principal, user_id)
    if changes.is_admin is not None:
        await ctx.people.set_admin(principal, user_id, changes.is_admin)
    if changes.disabled is not None:
        await ctx.people.set_disabled(principal, user_id, changes.disabled)
    ctx.entrance.forget(user_id)
    return json_bytes(await ctx.people.one(principal, user_id))


@router.post("/{user_id}/link", status_code=201, responses=documented(401, 403, 404, 409))
async def make_link(user_id: UUID, request: Request, ctx: Ctx, principal: Current) -> LinkOut:
    """A link by which that person sets a new password, once, within a day."""
    return _shown(await ctx.people.link(principal, user_id), request, ctx)


def _shown(link: Link, request: Request, ctx: Context) -> LinkOut:
    base = ctx.entrance.public_url or str(request.base_url)
    return LinkOut(token=link.secret, url=link.url(base), expires_at=link.expires_at)
