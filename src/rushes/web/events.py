"""GET /api/events: the live feed as server-sent events."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import StreamingResponse

from rushes.domain.errors import InvalidCursor, RushesError, Unavailable
from rushes.domain.feed_cursor import LONGEST, FeedCursor
from rushes.domain.principal import Principal
from rushes.services.feed import Message, Overrun
from rushes.web.context import Context, Ctx
from rushes.web.errors import documented
from rushes.web.identity import Current, current

router = APIRouter(prefix="/api", tags=["events"])

PING_SECONDS = 15.0
CHECK_SECONDS = 15.0  # how soon somebody who is signed out or disabled hears no more
LOOK_SECONDS = 1.0  # how soon a stopping server lets go of its streams


@router.get(
    "/events",
    response_class=StreamingResponse,
    responses={**documented(400, 401), 200: {"content": {"text/event-stream": {}}}},
)
async def events(
    request: Request,
    ctx: Ctx,
    principal: Current,
    last_event_id: Annotated[str | None, Header(max_length=LONGEST)] = None,
    after: Annotated[str | None, Query(max_length=LONGEST, description="as Last-Event-ID")] = None,
) -> StreamingResponse:
    """`job` (the card, on every change), `progress`, `removed`; only what I may see.

    Last-Event-ID replays what was missed; a comment comes every 15 s.
    """
    text = last_event_id or after
    start = await ctx.hub.head() if text is None else FeedCursor.parse(text)
    await ctx.hub.check(start)
    return StreamingResponse(
        _stream(request, ctx, principal, start),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
    )


async def _stream(
    request: Request, ctx: Context, principal: Principal, start: FeedCursor
) -> AsyncIterator[bytes]:
    with ctx.hub.subscription(principal, start) as subscriber:
        yield encode(Message("hello", json.dumps({"cursor": str(start)}).encode(), str(start)))
        try:
            async for message in ctx.hub.missed(subscriber):
                yield encode(message)
        except (Unavailable, InvalidCursor):
            return  # the browser connects again
        loop = asyncio.get_running_loop()
        said = checked = loop.time()
        while not ctx.stopping():
            if loop.time() - checked >= CHECK_SECONDS:
                checked = loop.time()
                if not await _is_still(request, ctx, principal):
                    return
            try:
                heard = await subscriber.next(LOOK_SECONDS)
            except Overrun:
                return  # the browser connects again and catches up
            if heard:
                said = loop.time()
                yield encode(heard)
            elif loop.time() - said >= PING_SECONDS:
                said = loop.time()
                yield b": ping\n\n"


async def _is_still(request: Request, ctx: Context, principal: Principal) -> bool:
    """Whether the credentials still mean that person, with those rights."""
    try:
        return await current(request, ctx) == principal
    except Unavailable:
        return True  # nobody is thrown out because the database is away
    except RushesError:
        return False


def encode(message: Message) -> bytes:
    """One event as it goes over the wire; the data is JSON on one line."""
    mark = f"id: {message.id}\n" if message.id else ""
    return f"{mark}event: {message.event}\ndata: ".encode() + message.data + b"\n\n"
