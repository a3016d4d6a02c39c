"""/api/uploads: announce a file, then PUT its bytes, here or straight to the object storage."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Header, Request, Response
from starlette.requests import ClientDisconnect

from rushes.domain.errors import InvalidInput
from rushes.domain.keys import public_url
from rushes.ports import Probe, Upload
from rushes.web.context import Ctx
from rushes.web.errors import documented
from rushes.web.identity import Current, Somebody
from rushes.web.schemas import TusUpload, UploadCreated, UploadRequest, UploadStored, UploadWaiting

router = APIRouter(prefix="/api/uploads", tags=["uploads"])


@router.post("", status_code=201, responses=documented(400, 401, 403, 413, 429))
async def create_upload(
    asked: UploadRequest, ctx: Ctx, principal: Somebody, response: Response
) -> UploadCreated:
    """Announce a file; then PUT its bytes to `put_url`."""
    upload = await ctx.uploads.create(
        principal, filename=asked.filename, size_bytes=asked.size_bytes, declared_type=asked.content_type
    )
    here = f"/api/uploads/{upload.id}"
    offer = await ctx.direct_uploads.offer(upload) if asked.direct else None
    response.headers["Location"] = here
    return UploadCreated(
        id=upload.id,
        filename=upload.filename,
        size_bytes=upload.size_bytes,
        status="waiting",
        put_url=offer.url if offer else f"{here}/content",
        put_headers=dict(offer.headers) if offer else {},
        confirm_url=f"{here}/confirm" if offer else None,
        content_url=f"{here}/content",
        tus=TusUpload(**offer.tus) if offer and offer.tus else None,
    )


@router.put(
    "/{upload_id}/content",
    responses={
        **documented(400, 401, 403, 404, 409, 411, 413, 507),
        202: {"description": "a part has come, the rest is waited for", "model": UploadWaiting},
    },
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
)
async def put_upload(
    upload_id: UUID,
    request: Request,
    response: Response,
    ctx: Ctx,
    principal: Current,
    upload_offset: Annotated[
        int | None, Header(ge=0, le=2**53, description="these are the bytes from there on; more may follow")
    ] = None,
) -> UploadStored | UploadWaiting:
    """The raw bytes. They are sniffed and measured; what is damaged or not what it says is refused.

    With Upload-Offset, what arrived of a broken request stays: HEAD tells how much, and the rest is sent from there.
    """
    if upload_offset is None:
        if request.headers.get("content-length") == "0":
            raise InvalidInput({"body": "is empty; send the file's bytes"})
        return _stored(*await ctx.uploads.receive(principal, upload_id, request.stream()))
    arrived = await ctx.resumable_uploads.append(principal, upload_id, upload_offset, _what_comes(request))
    response.headers["Upload-Offset"] = str(arrived.offset)
    if arrived.probe is not None:
        return _stored(arrived.upload, arrived.probe)
    response.status_code = 202
    return UploadWaiting(
        id=upload_id, status="waiting", offset=arrived.offset, size_bytes=arrived.upload.size_bytes
    )


@router.head("/{upload_id}/content", include_in_schema=False)
async def show_offset(upload_id: UUID, ctx: Ctx, principal: Current) -> Response:
    """How much has come, in Upload-Offset; the whole in Upload-Length."""
    arrived = await ctx.resumable_uploads.arrived(principal, upload_id)
    headers = {"Upload-Offset": str(arrived.offset), "Upload-Length": str(arrived.upload.size_bytes)}
    return Response(headers=headers)


@router.post("/{upload_id}/confirm", responses=documented(400, 401, 403, 404, 409, 413, 507))
async def confirm_upload(upload_id: UUID, ctx: Ctx, principal: Current) -> UploadStored:
    """The bytes were put straight to the object storage: now they are looked into."""
    return _stored(*await ctx.direct_uploads.confirm(principal, upload_id))


async def _what_comes(request: Request) -> AsyncIterator[bytes]:
    """The body, as far as it comes: a connection that breaks ends it."""
    try:
        async for block in request.stream():
            yield block
    except ClientDisconnect:
        return


def _stored(upload: Upload, probe: Probe) -> UploadStored:
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
