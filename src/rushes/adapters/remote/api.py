"""The HTTP API of a Rushes elsewhere, with the standard library alone: one-shot commands need no pool."""

import json
import shutil
import uuid
from collections.abc import Iterator, Sequence
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from rushes.domain.errors import InvalidSetting, RushesError, Unavailable

BLOCK = 1 << 20
ANSWER_SECONDS = 120.0


class RemoteError(RushesError):
    """What the other side answered."""


class _NoRedirect(HTTPRedirectHandler):
    def redirect_request(self, *_: Any, **__: Any) -> None:
        """The token goes to the address that was given, and nowhere else."""


class RemoteApi:
    """Blocking calls. Everything raises Unavailable or RemoteError."""

    def __init__(self, url: str, token: str | None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidSetting(f"{url} is no address of a Rushes; write it as http://127.0.0.1:8600")
        self._url = url.rstrip("/")
        self.token = token
        self._opener = build_opener(_NoRedirect())

    def call(self, method: str, path: str, *, query: Sequence[tuple[str, str]] = (), body: Any = None) -> Any:
        """A call in JSON."""
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Content-Type": "application/json"} if data is not None else {}
        address = f"{path}?{urlencode(query)}" if query else path
        with self._open(method, address, data, headers) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def submit(self, texts: Sequence[tuple[str, str]], files: Sequence[tuple[str, Path, str]]) -> Any:
        """POST /api/jobs as a form; each file as (input, path, file name), streamed."""
        boundary = uuid.uuid4().hex
        heads = [_text_part(boundary, name, value) for name, value in texts]
        parts = [(_file_head(boundary, name, filename), path) for name, path, filename in files]
        tail = f"--{boundary}--\r\n".encode()
        length = sum(map(len, heads)) + sum(len(h) + p.stat().st_size + 2 for h, p in parts) + len(tail)
        headers = {
            "Content-Type": f"multipart/form-data; boundary={boundary}",
            "Content-Length": str(length),
        }
        with self._open("POST", "/api/jobs", _stream(heads, parts, tail), headers) as answer:
            return json.load(answer)

    def download(self, path: str, target: Path) -> None:
        """A file, whole or not at all."""
        draft = target.with_name(f".{target.name}.part")
        try:
            with self._open("GET", quote(path), None, {}) as answer, draft.open("wb") as out:
                shutil.copyfileobj(answer, out, BLOCK)
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    def _open(self, method: str, address: str, data: Any, headers: dict[str, str]) -> HTTPResponse:
        if self.token:
            headers = {**headers, "Authorization": f"Bearer {self.token}"}
        request = Request(self._url + address, data=data, method=method, headers=headers)  # noqa: S310  # http(s) only
        try:
            answer: HTTPResponse = self._opener.open(request, timeout=ANSWER_SECONDS)
        except HTTPError as error:
            raise _said(error) from None
        except (URLError, HTTPException, OSError) as error:
            reason = getattr(error, "reason", error)
            raise Unavailable(f"{self._url} can't be reached: {reason}. Is Rushes running there?") from None
        return answer


def _said(error: HTTPError) -> RemoteError:
    with error:
        try:
            told = json.load(error)["error"]
            fields = (told.get("details") or {}).get("fields")
            return RemoteError(str(told["message"]), details={"fields": fields} if fields else None)
        except (ValueError, KeyError, TypeError, AttributeError):
            return RemoteError(f"{error.url} answered {error.code}: it may be no Rushes.")


def _text_part(boundary: str, name: str, value: str) -> bytes:
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n'
    return head.encode() + value.encode("utf-8", "surrogatepass") + b"\r\n"


def _file_head(boundary: str, name: str, filename: str) -> bytes:
    disposition = f'form-data; name="{_quoted(name)}"; filename="{_quoted(filename)}"'
    return f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()


def _quoted(text: str) -> str:
    return text.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")


def _stream(heads: list[bytes], parts: list[tuple[bytes, Path]], tail: bytes) -> Iterator[bytes]:
    yield from heads
    for head, path in parts:
        yield head
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                yield block
        yield b"\r\n"
    yield tail
