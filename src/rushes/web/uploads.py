"""/api/uploads: announce a file, then PUT its bytes."""

from uuid import UUID

from fastapi import APIRouter, Request, Response

from rushes.domain.errors import InvalidInput
from rushes.domain.keys import public_url
from rushes.web.context import Ctx
from rushes.web.errors import documented
from rushes.web.identity import Current, Somebody
from rushes.web.schemas import UploadCreated, UploadRequest, UploadStored

router = APIRouter(prefix="/api/uploads", tags=["uploads"])


@router.post("", status_code=201, responses=documented(400, 401, 403, 413, 429))
async def create_upload(
    asked: UploadRequest, ctx: Ctx, principal: Somebody, response: Response
) -> UploadCreated:
    """Announce a file; then PUT its bytes to `put_url`."""
    upload = await ctx.uploads.create(
        principal, filename=asked.filename, size_bytes=asked.size_bytes, declared_type=asked.content_type
    )
    put_url = f"/api/uploads/{upload.id}/content"
    response.headers["Location"] = f"/api/uploads/{upload.id}"
    return UploadCreated(
        id=upload.id,
        filename=upload.filename,
        size_bytes=upload.size_bytes,
        status="waiting",
        put_url=put_url,
    )


@router.put(
    "/{upload_id}/content",
    responses=documented(400, 401, 403, 404, 409, 411, 413, 507),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_upload(upload_id: UUID, request: Request, ctx: Ctx, principal: Current) -> UploadStored:
    """The raw bytes. They are sniffed and measured; what is damaged or not what it says is refused."""
    length = request.headers.get("content-length")
    if length == "0":
        raise InvalidInput({"body": "is empty; send the file's bytes"})
    upload, probe = await ctx.uploads.receive(principal, upload_id, request.stream())
    return UploadStored(
        id=upload.id,
        filename=upload.filename,
        status="stored",
        content_type=probe.content_type,
        kind=probe.kind,  # type: ignore[arg-type]  # the probe's kinds are the schema's
        size_bytes=upload.size_bytes,
        sha256=upload.sha256 or "",
        width=upload.width,
        height=upload.height,
        duration_seconds=upload.duration_seconds,
        url=public_url(upload.key),
    )
