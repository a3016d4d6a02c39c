"""References to files in old rows: what they are, and what is wrong with them."""

import re
from dataclasses import dataclass
from typing import Any

from rushes.legacy.values import SMALL, basename, unquoted

Source = dict[str, Any]
IMAGE = re.compile(r"\.(?:png|jpe?g|webp|gif|bmp|tiff?|avif)\Z", re.IGNORECASE | re.ASCII)
VIDEO_BUCKET = "multitalk-videos"
_STORAGE = re.compile(r"(?i:https?)://([^?#]*?)/storage/v1/object/(.*)", re.DOTALL)
_OBJECT = re.compile(r"(public|sign|authenticated)/([^/?#]+)/([^?#]+)")
_VIEW = re.compile(r"((?i:https?)://[^?#]*?)/view\?([^#]*)")
_INLINE = re.compile(r"(?i:data):([^;,]*)[;,]")


@dataclass(frozen=True, slots=True)
class Reference:
    """A file by its kind and where it is."""

    source: Source
    wrong: tuple[str, ...] = ()

    @property
    def kind(self) -> str:
        return str(self.source["kind"])

    @property
    def name(self) -> str:
        """How the file is called that is known by its source only."""
        match self.kind:
            case "storage":
                told = self.source["path"]
            case "external":
                told = re.split(r"[?#]", self.source["url"], maxsplit=1)[0]
            case _:
                told = self.source.get("filename") or ""
        return basename(told) or self.kind


def read(told: str | None) -> Reference | None:
    """What a column that may hold a URL says; None for nothing."""
    if not told or told == "?":
        return None
    scheme = told[:5].lower()
    if scheme == "data:":
        found = _INLINE.match(told[:200])
        content_type = found[1].translate(SMALL) if found else ""
        return Reference({"kind": "inline", "content_type": content_type or None}, ("inline_data",))
    if scheme == "blob:":
        return Reference({"kind": "lost"})
    if "://" not in told:
        return Reference({"kind": "name", "filename": told})
    url = told.rstrip("?")
    return _stored(url) or _viewed(url) or Reference({"kind": "external", "url": url}, ("external_url",))


def _stored(url: str) -> Reference | None:
    found = _STORAGE.match(url)
    inner = _OBJECT.match(found[2]) if found else None
    if not inner:
        return None
    bucket, path = unquoted(inner[2]), unquoted(inner[3])
    wrong = [] if bucket is not None and path is not None else ["unreadable_value"]
    bucket, path = inner[2] if bucket is None else bucket, inner[3] if path is None else path
    if inner[1] == "sign":
        wrong.append("expired_url")
    if bucket == VIDEO_BUCKET and IMAGE.search(path):
        wrong.append("wrong_content_type")
    return Reference({"kind": "storage", "bucket": bucket, "path": path}, tuple(wrong))


def _viewed(url: str) -> Reference | None:
    found = _VIEW.match(url)
    if not found:
        return None
    told: dict[str, str] = {}
    for part in found[2].split("&"):
        name, equals, value = part.partition("=")
        if equals:
            told.setdefault(name, value.replace("+", " "))
    if not told.get("filename"):
        return None
    source: Source = {"kind": "comfyui", "server": found[1].removesuffix("/api")}
    wrong: tuple[str, ...] = ()
    for name in ("filename", "subfolder", "type"):
        value = told.get(name)
        plain = None if value is None else unquoted(value)
        if value is not None and plain is None:
            wrong = ("unreadable_value",)
        source[name] = value if plain is None else plain
    return Reference(source, wrong)
