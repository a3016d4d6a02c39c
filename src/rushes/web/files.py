"""GET /storage/…: files under their stable URLs, with Range and ETag; row level security decides who."""

import re
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse

from rushes.domain.content import harmless_type, may_be_shown
from rushes.domain.disposition import attachment, inline
from rushes.domain.errors import NotFound
from rushes.domain.keys import is_valid_key
from rushes.ports import ObjectStat, StoredFile
from rushes.web.context import Context, Ctx
from rushes.web.errors import documented, error_answer
from rushes.web.identity import Current
from rushes.web.schemas import Error

router = APIRouter(tags=["files"])

MISSING = "There is no such file, or you may not see it."
SIGNED_SECONDS = 3600  # long enough to watch a video to its end
REDIRECT_SECONDS = 1200  # a browser may keep the way to the store, which stays good for longer than that
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")  # one range; several, or absurd ones, are passed over


@router.get(
    "/storage/{key:path}",
    response_class=Response,
    responses={
        **documented(401, 404),
        200: {"description": "the file", "content": {"*/*": {}}},
        206: {"description": "the range asked for", "content": {"*/*": {}}},
        304: {"description": "unchanged"},
        307: {
            "description": "a browser is sent to where the store itself serves the file, for an hour at most"
        },
        416: {"description": "no such range", "model": Error},
    },
)
@router.head("/storage/{key:path}", include_in_schema=False)
async def show_file(
    key: str,
    request: Request,
    ctx: Ctx,
    principal: Current,
    download: Annotated[bool, Query(description="save it instead of showing it")] = False,
    wanted: Annotated[str | None, Header(alias="range")] = None,
    if_none_match: Annotated[str | None, Header()] = None,
    if_range: Annotated[str | None, Header()] = None,
) -> Response:
    """A result, a poster or thumbnail, or an input; for those who may see its job."""
    file = await ctx.reader.file(principal, key) if is_valid_key(key) else None
    if file and _may_leave(request) and (url := await _signed(ctx, file, download=download)):
        return _redirect(url)
    stat = await ctx.storage.stat(file.stored_key) if file else None
    if file is None or stat is None:
        raise NotFound(MISSING)
    headers = _headers(file, stat, download=download)
    if if_none_match and _matches(if_none_match, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    span = _span(wanted, stat.size_bytes) if wanted and if_range in (None, headers["ETag"]) else None
    if span == (0, 0):
        answer = error_answer(416, "invalid_range", f"The file has {stat.size_bytes} bytes.")
        answer.headers["Content-Range"] = f"bytes */{stat.size_bytes}"
        return answer
    start, end = span or (0, stat.size_bytes)
    headers["Content-Length"] = str(end - start)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{stat.size_bytes}"
    status = 206 if span else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(ctx.storage.open(file.stored_key, start=start, end=end), status, headers)


def _may_leave(request: Request) -> bool:
    """Whether the store can answer in our place: for a browser that shows or saves a file.

    Scripts would need the store's leave (CORS), and programs would take their credentials along.
    """
    said = request.headers
    script = said.get("sec-fetch-mode") == "cors" or said.get("sec-fetch-dest") == "empty"
    return request.method == "GET" and not script and "authorization" not in said and "x-api-key" not in said


async def _signed(ctx: Context, file: StoredFile, *, download: bool) -> str | None:
    saved = download or not may_be_shown(file.content_type)
    return await ctx.storage.signed_get(
        file.stored_key,
        seconds=SIGNED_SECONDS,
        content_type=_shown_type(file.content_type),
        download_name=file.filename if saved else None,
    )


def _redirect(url: str) -> Response:
    headers = {
        "Location": url,
        "Cache-Control": f"private, max-age={REDIRECT_SECONDS}",
        "Vary": "Sec-Fetch-Dest, Sec-Fetch-Mode, Cookie",
        "Referrer-Policy": "no-referrer",
    }
    return Response(status_code=307, headers=headers)


def _headers(file: StoredFile, stat: ObjectStat, *, download: bool) -> dict[str, str]:
    shown = may_be_shown(file.content_type) and not download
    return {
        "Content-Type": _shown_type(file.content_type),
        "Content-Disposition": inline(file.filename) if shown else attachment(file.filename),
        "ETag": f'"{stat.etag.strip(chr(34))}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }


def _shown_type(content_type: str) -> str:
    return harmless_type(content_type) + ("; charset=utf-8" if content_type.startswith("text/plain") else "")


def _matches(header: str, etag: str) -> bool:
    return header.strip() == "*" or etag in (tag.strip().removeprefix("W/") for tag in header.split(","))


def _span(header: str, size: int) -> tuple[int, int] | None:
    """Start and end (exclusive); (0, 0) where the range can't be met, None where the header is to be ignored."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if first == "":
        return (max(0, size - int(last)), size) if int(last) and size else (0, 0)
    start = int(first)
    end = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return (start, end) if start < size else (0, 0)
