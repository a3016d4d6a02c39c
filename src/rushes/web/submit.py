"""POST /api/jobs: as JSON, or as a form with files."""

import hashlib
import json
from collections.abc import AsyncIterator
from typing import Annotated, Any

from fastapi import APIRouter, Header, Request
from pydantic import ValidationError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import MultiPartException
from starlette.responses import Response

from rushes.domain.errors import InvalidInput, InvalidRequest, RushesError
from rushes.domain.form_inputs import place, read_text
from rushes.domain.principal import Principal
from rushes.services.submission import Submit
from rushes.web.answers import found, json_bytes, with_session
from rushes.web.context import Context, Ctx
from rushes.web.errors import documented
from rushes.web.identity import Somebody
from rushes.web.schemas import Job, JobRequest

router = APIRouter(prefix="/api/jobs", tags=["jobs"])

CHUNK = 1 << 20
FORM_FILES, FORM_FIELDS = 400, 1000
OWN_FIELDS = (
    "workflow_type",
    "title",
    "priority",
    "visibility",
    "deadline",
    "metadata",
    "parent_id",
    "tags",
    "preview",
)
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"$ref": "#/components/schemas/JobRequest"}},
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["workflow_type"],
                "properties": {"workflow_type": {"type": "string"}},
                "description": "workflow_type, the other fields of JobRequest, and each input under its own name "
                "(`image`, `speakers.0.audio`, `images` repeated), files as files.",
            }
        },
    },
}


@router.post(
    "",
    status_code=201,
    response_model=Job,
    responses=documented(400, 401, 403, 404, 409, 413, 415, 429, 507),
    openapi_extra={"requestBody": _BODY},
)
async def submit_job(
    request: Request,
    ctx: Ctx,
    principal: Somebody,
    idempotency_key: Annotated[
        str | None, Header(min_length=1, max_length=255, pattern=r"^[\x20-\x7e]+$")
    ] = None,
) -> Response:
    """Submit a job. With an Idempotency-Key the same request gives the same answer again."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        asked, fingerprint = await _from_form(request, ctx, principal)
    elif kind in ("application/json", ""):
        asked, fingerprint = _checked(await _json(request)), None
    else:
        raise _Unsupported(f"Send application/json or multipart/form-data, not {kind}.")
    submitted = await ctx.submission.submit(
        principal,
        Submit(
            workflow_type=asked.workflow_type,
            inputs=asked.inputs,
            title=asked.title,
            priority=asked.priority,
            visibility=asked.visibility,
            deadline_at=asked.deadline,
            metadata=asked.metadata,
            parent_id=asked.parent_id,
            tags=tuple(asked.tags),
            preview=asked.preview,
            user_ip=request.client.host if request.client else None,
            idempotency_key=idempotency_key,
            body_sha256=fingerprint,
        ),
    )
    headers = {"Location": f"/api/jobs/{submitted.job_id}"}
    if submitted.replayed:
        headers["Idempotency-Replayed"] = "true"
    body = found(await ctx.reader.one(principal, submitted.job_id))
    return with_session(request, json_bytes(body, 201, **headers))


class _Unsupported(RushesError):
    code = "unsupported_media_type"
    status = 415


async def _json(request: Request) -> Any:
    try:
        return json.loads(await request.body(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"The body is no JSON: {error}") from None


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON number")


def _checked(body: Any) -> JobRequest:
    """Raises InvalidInput naming every faulty field."""
    if not isinstance(body, dict):
        raise InvalidInput({"body": "should be a JSON object with workflow_type and inputs"})
    try:
        return JobRequest.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise InvalidInput(
            {".".join(map(str, e["loc"])) or "body": _said(e) for e in error.errors()}
        ) from None
    except ValueError as error:  # lone surrogates, digits past Python's limit
        raise InvalidRequest(f"The body can't be read: {error}") from None


def _said(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "is not known here; inputs of the workflow belong into `inputs`"
    return "is missing" if error["type"] == "missing" else str(error["msg"]).lower()


async def _from_form(request: Request, ctx: Context, principal: Principal) -> tuple[JobRequest, str]:
    """Read a form; its files become uploads first. Also what makes the request the same request."""
    try:
        async with request.form(max_files=FORM_FILES, max_fields=FORM_FIELDS, max_part_size=CHUNK) as form:
            return await _read_form(form, ctx, principal)
    except MultiPartException as error:
        raise InvalidRequest(f"The form can't be read: {error.message}") from None


async def _read_form(form: FormData, ctx: Context, principal: Principal) -> tuple[JobRequest, str]:
    texts = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    own: dict[str, Any] = {name: texts[name] for name in OWN_FIELDS if texts.get(name)}
    own.update(_typed_own(own))
    if "workflow_type" not in own:
        raise InvalidInput({"workflow_type": "is missing"})
    manifest = ctx.catalog.get(own["workflow_type"]).manifest
    inputs = read_text(
        manifest, [(n, v) for n, v in form.multi_items() if isinstance(v, str) and n not in OWN_FIELDS]
    )
    seen: list[tuple[str, str | None]] = []
    # Cheap faults first: nothing is stored for a form that can't become a job.
    _checked({**own, "inputs": {}})
    for name, part in form.multi_items():
        if isinstance(part, UploadFile):
            reference, digest = await _upload(ctx, principal, name, part)
            place(manifest, inputs, name, reference)
            seen.append((name, digest))
    fingerprint = hashlib.sha256(json.dumps([sorted(texts.items()), seen]).encode()).hexdigest()
    return _checked({**own, "inputs": inputs}), fingerprint


def _typed_own(own: dict[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name in ("priority", "metadata", "tags", "preview"):
        if name in own:
            try:
                typed[name] = json.loads(own[name])
            except ValueError:
                raise InvalidInput({name: "should be written as JSON in a form"}) from None
    return typed


async def _upload(
    ctx: Context, principal: Principal, name: str, part: UploadFile
) -> tuple[dict[str, str], str | None]:
    try:
        created = await ctx.uploads.create(
            principal,
            filename=part.filename or "",
            size_bytes=part.size or 0,
            declared_type=part.content_type,
        )
        upload, _ = await ctx.uploads.receive(principal, created.id, _chunks(part))
    except InvalidRequest as error:
        raise InvalidInput({name: error.message}) from None
    return {"upload_id": str(upload.id)}, upload.sha256


async def _chunks(part: UploadFile) -> AsyncIterator[bytes]:
    while chunk := await part.read(CHUNK):
        yield chunk
