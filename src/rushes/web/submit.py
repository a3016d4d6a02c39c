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
from rushes.domain.principal import Principal
from rushes.services.forms import FilePart
from rushes.services.submission import Submit, Submitted
from rushes.web.answers import found, json_bytes, with_session
from rushes.web.context import Context, Ctx
from rushes.web.errors import documented
from rushes.web.identity import Somebody, address_of
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
        "application/json": {"schema": JobRequest.model_json_schema()},
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
    await ctx.entrance.rates.submit(principal, address_of(request))
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "multipart/form-data":
        if idempotency_key is None:
            await ctx.submission.check_room(principal)  # before the form's files are stored
        submitted = await _submit_form(request, ctx, principal, idempotency_key)
    elif kind in ("application/json", ""):
        asked = checked(await _json(request))
        submitted = await ctx.submission.submit(principal, _submit(request, asked, idempotency_key))
    else:
        raise _Unsupported(f"Send application/json or multipart/form-data, not {kind}.")
    headers = {"Location": f"/api/jobs/{submitted.job_id}"}
    if submitted.replayed:
        headers["Idempotency-Replayed"] = "true"
    body = submitted.body or found(await ctx.reader.one(principal, submitted.job_id))
    return with_session(request, json_bytes(body, 201, **headers))


def _submit(request: Request, asked: JobRequest, key: str | None, fingerprint: str | None = None) -> Submit:
    return Submit(
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
        user_ip=address_of(request),
        idempotency_key=key,
        body_sha256=fingerprint,
    )


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


def checked(body: Any) -> JobRequest:
    """Raises InvalidInput naming every faulty field."""
    if not isinstance(body, dict):
        raise InvalidInput({"body": "should be a JSON object with workflow_type and inputs"})
    try:
        return JobRequest.model_validate_json(json.dumps(body))
    except ValidationError as error:
        raise InvalidInput(
            {".".join(map(str, e["loc"])) or "body": _said(e) for e in error.errors()}
        ) from None
    except (ValueError, RecursionError) as error:  # lone surrogates, digits past Python's limit
        raise InvalidRequest(f"The body can't be read: {error}") from None


def _said(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "is not known here; inputs of the workflow belong into `inputs`"
    return "is missing" if error["type"] == "missing" else str(error["msg"]).lower()


async def _submit_form(request: Request, ctx: Context, principal: Principal, key: str | None) -> Submitted:
    try:
        async with request.form(max_files=FORM_FILES, max_fields=FORM_FIELDS, max_part_size=CHUNK) as form:
            return await _submit_parts(request, form, ctx, principal, key)
    except MultiPartException as error:
        raise InvalidRequest(f"The form can't be read: {error.message}") from None


async def _submit_parts(
    request: Request, form: FormData, ctx: Context, principal: Principal, key: str | None
) -> Submitted:
    texts = [(name, value) for name, value in form.multi_items() if isinstance(value, str)]
    own: dict[str, Any] = {name: value for name, value in texts if name in OWN_FIELDS and value}
    own.update(_typed_own(own))
    checked({**own, "inputs": {}})  # cheap faults first
    given = [(name, value) for name, value in texts if name not in OWN_FIELDS]
    parts = [_part(name, file) for name, file in form.multi_items() if isinstance(file, UploadFile)]
    async with ctx.forms.inputs(principal, own["workflow_type"], given, parts) as filled:
        same = json.dumps([sorted(texts), filled.digests])
        asked = checked({**own, "inputs": filled.inputs})
        fingerprint = hashlib.sha256(same.encode()).hexdigest()
        return await ctx.submission.submit(principal, _submit(request, asked, key, fingerprint))


def _part(name: str, file: UploadFile) -> FilePart:
    async def chunks() -> AsyncIterator[bytes]:
        while chunk := await file.read(CHUNK):
            yield chunk

    return FilePart(
        name=name,
        filename=file.filename or "",
        size_bytes=file.size or 0,
        content_type=file.content_type,
        chunks=chunks,
    )


def _typed_own(own: dict[str, Any]) -> dict[str, Any]:
    typed: dict[str, Any] = {}
    for name in ("priority", "metadata", "tags", "preview"):
        if name in own:
            try:
                typed[name] = json.loads(own[name], parse_constant=_no_constant)
            except (ValueError, RecursionError):
                raise InvalidInput({name: "should be written as JSON in a form"}) from None
    return typed
