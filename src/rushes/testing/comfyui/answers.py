"""Answers in the form aiohttp gives them."""

import json
from typing import Any

from starlette.responses import Response


class Json(Response):
    """JSON as ComfyUI writes it: bare NaN and escaped lone surrogates included."""

    media_type = "application/json; charset=utf-8"

    def render(self, content: Any) -> bytes:
        return json.dumps(content).encode()


def empty(status: int = 200) -> Response:
    """A status without a body."""
    return Response(status_code=status, headers={"content-type": "application/octet-stream"})


def text(body: str, status: int = 200) -> Response:
    """Plain text."""
    return Response(body, status_code=status, media_type="text/plain; charset=utf-8")


def trouble() -> Response:
    """The 500 of an unhandled exception."""
    return text("500 Internal Server Error\n\nServer got itself in trouble", 500)
