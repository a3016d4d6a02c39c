"""GET /storage/…: files under their stable URLs, with Range and ETag; row level security decides who."""

import re
from typing import Annotated
from urllib.parse import quote

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response, StreamingResponse

from rushes.domain.errors import NotFound
from rushes.domain.keys import is_valid_key
from rushes.ports import ObjectStat, StoredFile
from rushes.web.context import Ctx
from rushes.web.errors import documented, error_answer
from rushes.web.identity import Current
from rushes.web.schemas import Error

router = APIRouter(tags=["files"])

# What a browser may show in place; everything else (SVG and HTML above all) is only ever downloaded.
INLINE = re.compile(r"(image/(png|jpeg|webp|gif|avif|bmp)|video/[\w.+-]+|audio/[\w.+-]+|text/plain)")
_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")  # one range; several, or absurd ones, are passed over


@router.get(
    "/storage/{key:path}",
    response_class=Response,
    responses={
        **documented(401, 404),
        200: {"description": "the file", "content": {"*/*": {}}},
        206: {"description": "the range asked for", "content": {"*/*": {}}},
        304: {"description": "unchanged"},
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
    stat = await ctx.storage.stat(key) if file else None
    if file is None or stat is None:
        raise NotFound("There is no such file, or you may not see it.")
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
    return StreamingResponse(ctx.storage.open(key, start=start, end=end), status, headers)


def _headers(file: StoredFile, stat: ObjectStat, *, download: bool) -> dict[str, str]:
    inline = INLINE.fullmatch(file.content_type) and not download
    kind = file.content_type + ("; charset=utf-8" if file.content_type.startswith("text/") else "")
    name = file.filename
    plain = re.sub(r"[^A-Za-z0-9 ._()-]", "_", name)
    return {
        "Content-Type": kind if INLINE.fullmatch(file.content_type) else "application/octet-stream",
        "Content-Disposition": f'{"inline" if inline else "attachment"}; filename="{plain}"; '
        f"filename*=UTF-8''{quote(name, safe='')}",
        "ETag": f'"{stat.etag.strip(chr(34))}"',
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, max-age=3600",
        "X-Content-Type-Options": "nosniff",
        "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    }


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
