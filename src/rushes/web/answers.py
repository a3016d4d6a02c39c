"""JSON that Postgres made, passed through as it is."""

from fastapi import Request
from starlette.responses import Response

from rushes.domain.errors import NotFound
from rushes.services.lifecycle import NO_SUCH_JOB
from rushes.web.identity import set_session


def json_bytes(body: bytes, status: int = 200, **headers: str) -> Response:
    """A JSON answer that is not parsed again."""
    return Response(body, status, headers, media_type="application/json")


def rows(body: bytes | None) -> Response:
    """A list in its envelope. Raises NotFound where the job isn't there."""
    return json_bytes(b'{"data":' + found(body) + b"}")


def found(body: bytes | None) -> bytes:
    """The body, or NotFound."""
    if body is None:
        raise NotFound(NO_SUCH_JOB)
    return body


def with_session(request: Request, response: Response) -> Response:
    """Give a hand-made response the cookie of the account that this request was given."""
    token = getattr(request.state, "new_session", None)
    if token:
        set_session(response, token, secure=request.url.scheme == "https")
    return response
