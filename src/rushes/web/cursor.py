"""Keyset cursors: the last id of a page, bound to the list and filters that it belongs to."""

import base64
import binascii
import hashlib
from uuid import UUID

from rushes.domain.errors import InvalidCursor

_MARK = 4


def encode(last: UUID, listing: str) -> str:
    """The cursor after `last` in the list that `listing` describes."""
    return base64.urlsafe_b64encode(last.bytes + _mark(listing)).decode().rstrip("=")


def decode(cursor: str, listing: str) -> UUID:
    """The id in a cursor. Raises InvalidCursor for a broken one and for one of another list."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if len(raw) != 16 + _MARK:
        raise InvalidCursor("The cursor is broken. Start again without `after`.")
    if raw[16:] != _mark(listing):
        raise InvalidCursor(
            "The cursor belongs to another list or to other filters. Start again without `after`."
        )
    return UUID(bytes=raw[:16])


def _mark(listing: str) -> bytes:
    return hashlib.sha256(listing.encode()).digest()[:_MARK]
