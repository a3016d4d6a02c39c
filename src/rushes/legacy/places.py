"""Where files may be fetched from: what the operator configured, and nothing else, whatever a row says.

A row's address is only compared with the configured ones; what is contacted is always the configured one. So a row
that names a private, loopback or metadata address leads nowhere, unless the operator named that address.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import quote, urlencode, urljoin, urlsplit

from rushes.domain.errors import InvalidSetting
from rushes.legacy.references import Source


class Refused(Exception):
    """Why a file isn't fetched, in words."""


@dataclass(frozen=True, slots=True)
class Address:
    """A URL to try, and the headers that go with it."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The old storage (`…/storage/v1`) with its key, and ComfyUI servers: as rows name them → as they are reached."""

    storage: str | None = None
    storage_key: str | None = field(default=None, repr=False)
    comfy: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for url in (self.storage, *self.comfy.values()):
            if url is not None and base(url) is None:
                raise InvalidSetting(f"{url} is no address; write it as https://host[:port][/path]")

    def addresses(self, source: Source) -> list[Address]:
        """Where the file may be, in the order to try. Raises Refused."""
        match source["kind"]:
            case "storage":
                return list(self._objects(str(source["bucket"]), str(source["path"])))
            case "comfyui":
                return list(self._views(source))
            case "lost":
                raise Refused("it was in a browser's memory only (blob:)")
        raise Refused("its address is neither the configured storage nor a configured ComfyUI")

    def may_follow(self, url: str, location: str) -> Address:
        """Where a redirect leads, if that is configured. Raises Refused."""
        target = urljoin(url, location)
        for known in (self.storage, *self.comfy.values()):
            if known and _origin(known) is not None and _origin(known) == _origin(target):
                # the key goes along within the storage alone
                headers = self._key() if known == self.storage else {}
                return Address(target, headers)
        raise Refused("it redirects to an address that isn't configured")

    def _objects(self, bucket: str, path: str) -> Iterator[Address]:
        if not self.storage:
            raise Refused("no storage is configured (--storage)")
        if (
            any(part in ("", ".", "..") for part in (bucket, *path.split("/")))
            or "/" in bucket
            or "\\" in path
        ):
            raise Refused("its path isn't plain")
        where = f"{quote(bucket, safe='')}/{quote(path)}"
        if self.storage_key:
            yield Address(f"{self.storage}/object/authenticated/{where}", self._key())
        yield Address(f"{self.storage}/object/public/{where}")

    def _key(self) -> dict[str, str]:
        return (
            {"Authorization": f"Bearer {self.storage_key}", "apikey": self.storage_key}
            if self.storage_key
            else {}
        )

    def _views(self, source: Source) -> Iterator[Address]:
        named = base(str(source.get("server") or ""))
        reached = {base(name): url for name, url in self.comfy.items()}.get(named) if named else None
        if reached is None:
            raise Refused("its ComfyUI isn't configured (--comfy-url)")
        folder = str(source.get("subfolder") or "").replace("\\", "/")
        if ".." in folder.split("/"):
            raise Refused("its folder isn't plain")
        # where the type was never written down, the two places where results are
        for kind in [source["type"]] if source.get("type") else ["output", "temp"]:
            asked = urlencode({"filename": source["filename"], "subfolder": folder, "type": kind})
            yield Address(f"{reached.rstrip('/')}/view?{asked}")


def base(url: str) -> str | None:
    """A server's address in one form; None for what is none, or carries credentials."""
    origin = _origin(url)
    if origin is None or "@" in urlsplit(url).netloc:
        return None
    path = urlsplit(url).path.rstrip("/").removesuffix("/api")
    return f"{origin}{path}"


def _origin(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return None
    return f"{parts.scheme}://{parts.hostname.lower()}:{port}"
