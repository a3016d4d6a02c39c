"""URLs that carry their own permission: AWS Signature Version 4 in the query.

The client library signs too, but can't say as what a file is to be shown, nor how large an upload has to be.
"""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote, urlsplit

from rushes.adapters.storage.s3.place import S3Keys, S3Place

_ALGORITHM = "AWS4-HMAC-SHA256"
LONGEST_SECONDS = 7 * 24 * 3600


def presigned(
    place: S3Place,
    keys: S3Keys,
    method: str,
    url: str,
    *,
    now: datetime,
    seconds: int,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> str:
    """The URL with its signature; whoever uses it must send exactly these headers. `now` is in UTC."""
    parts = urlsplit(url)
    signed = {"host": parts.netloc} | {name.lower(): value.strip() for name, value in (headers or {}).items()}
    names = ";".join(sorted(signed))
    day = now.strftime("%Y%m%d")
    scope = f"{day}/{place.region}/s3/aws4_request"
    asked = {
        "X-Amz-Algorithm": _ALGORITHM,
        "X-Amz-Credential": f"{keys.access_key_id}/{scope}",
        "X-Amz-Date": now.strftime("%Y%m%dT%H%M%SZ"),
        "X-Amz-Expires": str(min(seconds, LONGEST_SECONDS)),
        "X-Amz-SignedHeaders": names,
        **({"X-Amz-Security-Token": keys.session_token} if keys.session_token else {}),
        **(query or {}),
    }
    asked_text = "&".join(f"{_escaped(name)}={_escaped(asked[name])}" for name in sorted(asked))
    header_lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    request = "\n".join([method, parts.path, asked_text, header_lines, names, "UNSIGNED-PAYLOAD"])
    digest = hashlib.sha256(request.encode()).hexdigest()
    to_sign = "\n".join([_ALGORITHM, asked["X-Amz-Date"], scope, digest])
    signature = _hmac(_signing_key(keys, day, place.region), to_sign).hex()
    return f"{parts.scheme}://{parts.netloc}{parts.path}?{asked_text}&X-Amz-Signature={signature}"


def _signing_key(keys: S3Keys, day: str, region: str) -> bytes:
    key = f"AWS4{keys.secret_access_key}".encode()
    for word in (day, region, "s3", "aws4_request"):
        key = _hmac(key, word)
    return key


def _hmac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


def _escaped(text: str) -> str:
    return quote(text, safe="-_.~")
