"""What Supabase Storage says, in words a person can act on.

Almost every refusal is an HTTP 400 with the true status in its body.
"""

import json

from rushes.adapters.http import NoAnswer
from rushes.adapters.storage.supabase.place import SupabasePlace
from rushes.domain.errors import NotFound, RushesError, StorageFull, TooLarge, Unavailable

_AGAIN = {423, 429, 500, 502, 503, 504, 520, 522, 524, 544}


class Refusal(Exception):
    """The true status and code of an answer that is none."""

    def __init__(self, status: int, code: str, said: str) -> None:
        super().__init__(status, code, said)
        self.status = status
        self.code = code
        self.said = said

    @property
    def may_pass(self) -> bool:
        """Whether the same request may succeed a little later."""
        return self.status in _AGAIN or self.code in ("SlowDown", "ResourceLocked", "LockTimeout")

    @property
    def no_bucket(self) -> bool:
        return self.code == "NoSuchBucket" or (self.status == 404 and "ucket not found" in self.said)


def refusal(status: int, body: bytes) -> Refusal:
    """Of the body, where it has something to say; TUS answers in plain text."""
    try:
        said = json.loads(body)
        told = str(said.get("statusCode", ""))
        return Refusal(
            int(told) if told.isdecimal() else status,
            str(said.get("code") or said.get("error") or ""),
            str(said.get("message") or "")[:300],
        )
    except (ValueError, AttributeError):
        return Refusal(status, "", body[:300].decode("utf-8", "replace").strip())


def in_words(place: SupabasePlace, error: Refusal | NoAnswer, key: str | None = None) -> RushesError:
    """NotFound (of `key`), TooLarge, StorageFull or Unavailable."""
    if isinstance(error, NoAnswer):
        return Unavailable(f"Supabase Storage at {place.url} doesn't answer: {error}. Is the address right?")
    if error.no_bucket:
        return Unavailable(f"The bucket {place.bucket} of {place.url} is missing: make it, or start again.")
    if error.status == 404 and key is not None:
        return NotFound(f"There is no stored file {key}: it was deleted, or never stored.")
    if error.status == 413:
        return TooLarge(
            f"The file is larger than the bucket {place.bucket} or the Supabase project takes: raise the limit in "
            "the project's Storage settings."
        )
    if error.status == 507 or error.code == "StorageQuotaExceeded":
        return StorageFull(f"The Supabase project at {place.origin} has no room left: free some space.")
    if error.status in (401, 403):
        return Unavailable(
            f"Supabase Storage at {place.url} refuses access ({error.said or error.status}): "
            "check SUPABASE_SECRET_KEY; it must be a secret (service_role) key of this project."
        )
    what = " ".join(part for part in (str(error.status), error.code, error.said) if part)
    return Unavailable(f"The bucket {place.bucket} of {place.url} can't be used: {what}")
