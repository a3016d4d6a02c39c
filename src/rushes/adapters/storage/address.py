"""RUSHES_STORAGE_URL: where files are kept, in one line."""

import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

HOW = "write it as file:///path, s3://bucket?endpoint=https://…&region=… or supabase://bucket"
_S3_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_SUPABASE_BUCKET = re.compile(r"[A-Za-z0-9_-]{1,100}")


@dataclass(frozen=True, slots=True)
class FolderAddress:
    """file:///path"""

    path: Path


@dataclass(frozen=True, slots=True)
class S3Address:
    """s3://bucket, and whatever of the server's address and manners was given."""

    bucket: str
    endpoint: str | None = None
    region: str | None = None
    virtual_host: bool = False


@dataclass(frozen=True, slots=True)
class SupabaseAddress:
    """supabase://bucket"""

    bucket: str


StorageAddress = FolderAddress | S3Address | SupabaseAddress


def parse_storage_url(url: str) -> StorageAddress:
    """What the URL says. Raises ValueError, which shows no credentials."""
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, keep_blank_values=True, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ValueError(HOW) from None
    if "@" in parts.netloc:
        raise ValueError("no credentials belong in it: set AWS_ACCESS_KEY_ID or SUPABASE_SECRET_KEY instead")
    match parts.scheme:
        case "file" if url.startswith("file:///") and len(parts.path) > 1:
            _refuse_more(query)
            return FolderAddress(Path(unquote(parts.path)))
        case "s3" if parts.path in ("", "/"):
            return _s3(parts.netloc, query)
        case "supabase" if parts.path in ("", "/"):
            _refuse_more(query)
            if not _SUPABASE_BUCKET.fullmatch(parts.netloc):
                raise ValueError("name the bucket with letters, digits, - and _: supabase://workflows")
            return SupabaseAddress(parts.netloc)
    raise ValueError(HOW)


def _s3(bucket: str, query: dict[str, str]) -> S3Address:
    if not _S3_BUCKET.fullmatch(bucket):
        raise ValueError("name the bucket as S3 does, with 3 to 63 of a-z, 0-9, - and .: s3://my-bucket")
    endpoint, region = query.pop("endpoint", None), query.pop("region", None)
    style = query.pop("style", "path")
    _refuse_more(query)
    if endpoint is not None:
        _check_endpoint(endpoint)
    if region is not None and not re.fullmatch(r"[A-Za-z0-9-]{1,50}", region):
        raise ValueError("region is a name such as eu-central-1")
    if style not in ("path", "virtual"):
        raise ValueError("style is path (bucket in the path) or virtual (bucket in the host name)")
    return S3Address(bucket, endpoint, region, virtual_host=style == "virtual")


def _check_endpoint(endpoint: str) -> None:
    try:
        parts = urlsplit(endpoint)
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    else:
        usable = usable and "@" not in parts.netloc and parts.path in ("", "/") and not parts.query
    if not usable:
        raise ValueError("endpoint is an address without a path, such as https://s3.example.com")


def _refuse_more(query: dict[str, str]) -> None:
    if query:
        raise ValueError(f"{next(iter(query))[:50]!r} means nothing in it; {HOW}")
