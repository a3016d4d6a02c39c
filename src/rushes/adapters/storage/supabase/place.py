"""Where a bucket of Supabase Storage is."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class SupabasePlace:
    """A bucket, and the Storage API that has it: https://<project>.supabase.co/storage/v1.

    `key` is a secret key (or the legacy service_role key). Never shown.
    """

    bucket: str
    url: str
    key: str = field(repr=False)

    @property
    def origin(self) -> str:
        """Scheme and host of the signed URLs, as a content security policy names them."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    def path(self, key: str) -> str:
        """Bucket and key, as they stand in the API's paths."""
        return f"{quote(self.bucket, safe='')}/{quote(key, safe='/-_.~')}"
