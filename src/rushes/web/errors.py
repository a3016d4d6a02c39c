"""Every error leaves as {"error": {"code", "message", "details"}} with the right status."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rushes.domain.errors import RushesError
from rushes.web.schemas import Error

log = structlog.get_logger("rushes.web")

_CODES = {
    404: "not_found",
    405: "method_not_allowed",
    406: "not_acceptable",
    413: "too_large",
    415: "unsupported_media_type",
}


def error_answer(status: int, code: str, message: str, details: dict[str, Any] | None = None) -> JSONResponse:
    """The one shape of an error."""
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status in (429, 503):
        headers["Retry-After"] = str((details or {}).get("retry_after", 5))
    body = {"error": {"code": code, "message": message, "details": details or {}}}
    return JSONResponse(body, status, headers)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The `responses` of an endpoint, for OpenAPI."""
    scopes = (403,) if 401 in statuses else ()  # whoever is asked for may come with a key that lacks a scope
    return {status: {"model": Error} for status in sorted({*statuses, *scopes, 422, 503})}


def install(app: FastAPI) -> None:
    """Answer every error that is raised on purpose; `Surroundings` answers the others."""

    async def known(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RushesError)
        if error.status >= 500:
            log.warning("unavailable", code=error.code, message=error.message, path=request.url.path)
        return error_answer(error.status, error.code, error.message, error.details)

    async def invalid(_: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, RequestValidationError)
        fields = _fields(error.errors())
        first = next(iter(fields))
        if first == "body" and "json" in fields[first].lower():
            return error_answer(400, "invalid_request", f"The body is no JSON: {fields[first]}")
        message = f"{first}: {fields[first]}"
        return error_answer(422, "invalid_input", message, {"field": first, "fields": fields})

    async def http(request: Request, error: Exception) -> JSONResponse:
        assert isinstance(error, HTTPException)
        code = _CODES.get(error.status_code, "invalid_request")
        answer = error_answer(error.status_code, code, _words(error, request))
        answer.headers.update(error.headers or {})
        return answer

    app.add_exception_handler(RushesError, known)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, http)


def _fields(errors: Sequence[Any]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for error in errors:
        where = [str(step) for step in error["loc"]]
        name = (
            ".".join(where[1:])
            if len(where) > 1 and where[0] in ("body", "query", "path", "header")
            else where[0]
        )
        fields.setdefault("body" if error["type"] == "json_invalid" else name, _said(error))
    return fields or {"body": "can't be read"}


def _said(error: Any) -> str:
    if error["type"] == "json_invalid":
        return f"JSON: {error.get('ctx', {}).get('error', 'can not be parsed')}"
    if error["type"] == "extra_forbidden":
        return "is not known here; leave it out"
    if error["type"] == "missing":
        return "is missing"
    message = str(error["msg"])
    return message[0].lower() + message[1:]


def _words(error: HTTPException, request: Request) -> str:
    if error.status_code == 404:
        return f"There is nothing at {request.url.path}. The API is described at /openapi.json."
    if error.status_code == 405:
        return f"{request.method} is not allowed at {request.url.path}."
    return str(error.detail)
