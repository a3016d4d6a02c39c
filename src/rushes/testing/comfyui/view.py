"""GET and HEAD /view: files with ranges and validators as aiohttp serves them, and re-encoded previews."""

import mimetypes
import re
from collections.abc import AsyncIterator
from email.utils import formatdate, parsedate_to_datetime
from io import BytesIO
from pathlib import Path

from PIL import Image
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from rushes.testing.comfyui.answers import empty
from rushes.testing.comfyui.folders import KINDS, is_within, split_annotation
from rushes.testing.comfyui.instance import Instance

_CHUNK = 256 * 1024
_TYPES = {
    ".webp": "image/webp",
    ".webm": "video/webm",
    ".mkv": "video/x-matroska",
    ".flac": "audio/flac",
    ".mp3": "audio/mpeg",
    ".wav": "audio/x-wav",
    ".opus": "audio/ogg",
}
_ACTIVE = (
    "text/html",
    "text/html-sandboxed",
    "application/xhtml+xml",
    "text/javascript",
    "text/css",
    "image/svg+xml",
)


class ViewRoutes:
    """Files out of the folders."""

    def __init__(self, instance: Instance) -> None:
        self._folders = instance.folders
        self._generation = instance.generation

    async def view(self, request: Request) -> Response:
        """The file a query names; 400, 403 or 404 for what may not or cannot be shown."""
        query = request.query_params
        filename, annotated = split_annotation(query.get("filename", ""))
        if "filename" not in query:
            return empty(404)
        if filename.startswith("/") or ".." in filename:
            return empty(400)
        kind = annotated or query.get("type", "output")
        if kind not in KINDS:
            return empty(400)
        folder = self._folders[kind] / query.get("subfolder", "")
        if not is_within(folder, self._folders[kind]):
            return empty(403)
        path = folder / Path(filename).name
        if not path.is_file():
            return empty(404)
        if "preview" in query:
            return _preview(path, query["preview"], query.get("channel", ""))
        if query.get("channel", "rgba") != "rgba":
            return _channel(path, query["channel"])
        return self._file(path, request)

    def _file(self, path: Path, request: Request) -> Response:
        kind = content_type(path)
        headers = {"content-disposition": f'filename="{path.name}"', "content-type": kind}
        if self._generation.hardened_view:
            headers["x-content-type-options"] = "nosniff"
        if kind in _ACTIVE:
            headers |= self._defused(path, kind, request)
        return file_answer(path, headers, request)

    def _defused(self, path: Path, kind: str, request: Request) -> dict[str, str]:
        if not self._generation.hardened_view:
            return {} if kind == "image/svg+xml" else {"content-type": "application/octet-stream"}
        guarded = {"vary": "Sec-Fetch-Dest", "cache-control": "no-store"}
        if kind == "image/svg+xml" and request.headers.get("sec-fetch-dest") == "image":
            return guarded
        attached = f'attachment; filename="{path.name}"'
        return guarded | {"content-type": "application/octet-stream", "content-disposition": attached}


def content_type(path: Path) -> str:
    """By the name, as the real server guesses."""
    known = _TYPES.get(path.suffix.lower())
    return known or mimetypes.guess_type(path.name)[0] or "application/octet-stream"


def file_answer(path: Path, headers: dict[str, str], request: Request) -> Response:
    """Whole or a range; 304 and 416 where they belong."""
    found = path.stat()
    size = found.st_size
    headers["etag"] = f'"{found.st_mtime_ns:x}-{size:x}"'
    headers["last-modified"] = formatdate(found.st_mtime, usegmt=True)
    if _is_unchanged(request, headers["etag"], int(found.st_mtime)):
        return Response(status_code=304, headers=headers)
    part = _range(request.headers.get("range"), size)
    if part is None:
        headers.pop("etag")
        headers.pop("last-modified")
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{size}"})
    start, end = part
    headers |= {"accept-ranges": "bytes", "content-length": str(end - start)}
    status = 200
    if "range" in request.headers:
        status = 206
        headers["content-range"] = f"bytes {start}-{end - 1}/{size}"
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(_read(path, start, end), status_code=status, headers=headers)


def _is_unchanged(request: Request, etag: str, modified: int) -> bool:
    if "if-none-match" in request.headers:
        return etag in request.headers["if-none-match"] or request.headers["if-none-match"].strip() == "*"
    since = request.headers.get("if-modified-since")
    try:
        return since is not None and modified <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False


def _range(header: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last; None for a range that can't be had."""
    if header is None:
        return 0, size
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", header.strip())
    if match is None or match[0] == "bytes=-":
        return None
    if not match[1]:
        return max(0, size - int(match[2])), size
    start, end = int(match[1]), min(size, int(match[2]) + 1) if match[2] else size
    return (start, end) if start < size and start < end else None


async def _read(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    # Opened anew for each piece: nobody closes this generator when a client hangs up, nor would the file be closed.
    while start < end:
        with path.open("rb") as file:
            file.seek(start)
            chunk = file.read(min(_CHUNK, end - start))
        if not chunk:
            return
        start += len(chunk)
        yield chunk


def _preview(path: Path, wanted: str, channel: str) -> Response:
    form, _, quality = wanted.partition(";")
    if form not in ("webp", "jpeg") or "a" in channel:
        form = "webp"
    with Image.open(path) as opened:
        image = opened.convert("RGB" if form == "jpeg" or channel == "rgb" else opened.mode)
    packed = BytesIO()
    image.save(packed, format=form, quality=int(quality) if quality.isdigit() else 90)
    return _picture(packed, path, f"image/{form}")


def _channel(path: Path, channel: str) -> Response:
    with Image.open(path) as opened:
        image = opened.convert("RGB") if channel == "rgb" else _alpha(opened)
    packed = BytesIO()
    image.save(packed, format="PNG")
    return _picture(packed, path, "image/png")


def _alpha(image: Image.Image) -> Image.Image:
    shape = Image.new("RGBA", image.size)
    shape.putalpha(image.convert("RGBA").getchannel("A"))
    return shape


def _picture(packed: BytesIO, path: Path, kind: str) -> Response:
    headers = {"content-disposition": f'filename="{path.name}"', "content-type": kind}
    return Response(packed.getvalue(), headers=headers)
