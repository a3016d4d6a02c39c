"""The address of a server, as it is contacted and as it is shown."""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from rushes.domain.comfy import ComfyUnreachable


@dataclass(frozen=True, slots=True)
class Address:
    """A server's base URL without credentials, and the headers that go with every request to it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    @property
    def websocket(self) -> str:
        return f"ws{self.url.removeprefix('http')}/ws"

    @classmethod
    def parse(cls, url: str, headers: Mapping[str, str] | None = None) -> "Address":
        """Read a configured URL; credentials in it become a header. Raises ComfyUnreachable."""
        try:
            parts = urlsplit(url.strip())
            host, port = parts.hostname, parts.port
        except ValueError:
            host, port, parts = None, None, urlsplit("")
        if parts.scheme not in ("http", "https") or not host:
            raise ComfyUnreachable(
                f"{_shown(url)} is no ComfyUI address. Write it like http://127.0.0.1:8188"
            )
        netloc = (f"[{host}]" if ":" in host else host) + (f":{port}" if port else "")
        everything = {**_basic(parts.username, parts.password), **(headers or {})}
        return cls(f"{parts.scheme}://{netloc}{parts.path.rstrip('/')}", everything)


def _basic(username: str | None, password: str | None) -> dict[str, str]:
    if username is None:
        return {}
    pair = f"{unquote(username)}:{unquote(password or '')}"
    return {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _shown(url: str) -> str:
    return repr(url.rpartition("@")[2][:200])
