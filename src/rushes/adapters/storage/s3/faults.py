"""What an S3 store says, in words a person can act on."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

from rushes.adapters.storage.s3.place import S3Place
from rushes.domain.errors import NotFound, RushesError, StorageFull, Unavailable

_CODE = re.compile(r"<Code>(\w{1,60})</Code>")
_FULL = {"QuotaExceeded", "XMinioStorageFull", "InsufficientCapacity", "StorageFull", "TooManyObjects"}
_REFUSED = {"AccessDenied", "SignatureDoesNotMatch", "InvalidAccessKeyId", "ExpiredToken", "InvalidToken"}


class BucketMissing(Unavailable):
    """There is no such bucket."""


@contextmanager
def s3_faults(place: S3Place, key: str | None = None) -> Iterator[None]:
    """Turn the client's errors into NotFound (of `key`), StorageFull or Unavailable."""
    try:
        yield
    except FileNotFoundError as error:
        raise _missing(place, key, _code(error)) from None
    except (BaseError, OSError, ValueError) as error:
        raise _in_words(place, error) from error


def out_of_range(error: BaseException) -> bool:
    """Whether a range begins behind the object's end."""
    return _code(error) == "InvalidRange" or "416 Range Not Satisfiable" in str(error)


def _missing(place: S3Place, key: str | None, code: str | None) -> RushesError:
    if key is None or code == "NoSuchBucket":
        return BucketMissing(
            f"The bucket {place.bucket} of {place.origin} is missing: make it, or start again."
        )
    return NotFound(f"There is no stored file {key}: it was deleted, or never stored.")


def _in_words(place: S3Place, error: Exception) -> RushesError:
    code = _code(error)
    if code == "NoSuchBucket":
        return _missing(place, None, code)
    if code in _FULL or "507 Insufficient Storage" in str(error):
        return StorageFull(f"The bucket {place.bucket} of {place.origin} has no room left: free some space.")
    refused = isinstance(error, (PermissionDeniedError, UnauthenticatedError)) or code in _REFUSED
    if refused:
        return Unavailable(
            f"{place.origin} refuses access to the bucket {place.bucket} ({code or 'no reason given'}): "
            "check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, the region, and what these keys may do."
        )
    return Unavailable(f"The bucket {place.bucket} of {place.origin} can't be used: {_first_line(error)}")


def _code(error: BaseException) -> str | None:
    found = _CODE.search(str(error))
    return found.group(1) if found else None


def _first_line(error: Exception) -> str:
    """The client's own words, without its debug output and whatever a query may carry."""
    line = str(error).split("\n", 1)[0].strip()
    return re.sub(r"\?\S*|: <.*", "", line)[:300] or type(error).__name__
