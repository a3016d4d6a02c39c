"""/api/keys: keys for scripts."""

import json
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import AwareDatetime, Field

from rushes.web.answers import json_bytes
from rushes.web.context import Ctx
from rushes.web.errors import documented
from rushes.web.identity import Owner
from rushes.web.schemas import CleanText, In, Out

router = APIRouter(prefix="/api/keys", tags=["accounts"])

Scope = Literal["read", "submit", "admin"]


class KeyRequest(In):
    name: Annotated[CleanText, Field(min_length=1, max_length=100)]
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=3)] = Field(default=["read", "submit"])
    expires_at: AwareDatetime | None = None


class Key(Out):
    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


class NewKey(Key):
    key: Annotated[str, Field(description="the key itself, shown this once")]


class KeyList(Out):
    data: list[Key]


@router.get("", response_model=KeyList, responses=documented(401, 403))
async def list_keys(ctx: Ctx, principal: Owner) -> Response:
    """My keys, newest first, with those that are revoked."""
    return json_bytes(b'{"data":' + await ctx.keys.list(principal) + b"}")


@router.post("", status_code=201, response_model=NewKey, responses=documented(400, 401, 403, 409, 413))
async def create_key(asked: KeyRequest, ctx: Ctx, principal: Owner) -> Response:
    """A new key, shown only now. `read` is for GET, `submit` for what changes something, `admin` for everything."""
    created, secret = await ctx.keys.create(
        principal, name=asked.name, scopes=asked.scopes, expires_at=asked.expires_at
    )
    return json_bytes(created[:-1] + f',"key":{json.dumps(secret)}}}'.encode(), 201)


@router.delete("/{key_id}", status_code=204, responses=documented(401, 403, 404))
async def revoke_key(key_id: UUID, ctx: Ctx, principal: Owner) -> Response:
    """Revoke a key of mine; it is dead at once. Administrators revoke anybody's."""
    await ctx.keys.revoke(principal, key_id)
    return Response(status_code=204)
