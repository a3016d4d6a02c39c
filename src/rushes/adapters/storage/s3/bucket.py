"""Making a bucket, which the client library can't."""

import urllib.error
import urllib.request
from datetime import timedelta

import obstore
from obstore.store import S3Store

from rushes.adapters.storage.offloop import off_loop
from rushes.adapters.storage.s3.place import AWS_REGION, S3Place
from rushes.domain.errors import Unavailable

_SECONDS = 30
_ELSEWHERE = (
    '<CreateBucketConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
    "<LocationConstraint>{region}</LocationConstraint></CreateBucketConfiguration>"
)


async def make_bucket(place: S3Place, store: S3Store) -> None:
    """Make it, private as buckets are. Raises Unavailable."""
    url = await obstore.sign_async(store, "PUT", "", timedelta(seconds=60))
    body = b"" if place.region == AWS_REGION else _ELSEWHERE.format(region=place.region).encode()
    status, words = await off_loop(lambda: _put(url, body))
    if status not in (200, 204, 409):  # 409: another process was faster
        raise Unavailable(
            f"The bucket {place.bucket} is missing and can't be made at {place.origin} ({status} {words}): "
            "make it, and check what the keys may do."
        )


def _put(url: str, body: bytes) -> tuple[int, str]:
    headers = {"Content-Type": "application/xml"}
    request = urllib.request.Request(url, body, headers, method="PUT")  # noqa: S310  # the endpoint that was set
    try:
        with urllib.request.urlopen(request, timeout=_SECONDS) as answer:  # noqa: S310
            return answer.status, answer.reason
    except urllib.error.HTTPError as error:
        with error:
            return error.code, str(error.reason)
