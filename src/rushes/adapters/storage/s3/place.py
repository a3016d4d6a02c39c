"""Where a bucket is, and whose keys open it."""

from dataclasses import dataclass, field
from urllib.parse import quote, urlsplit

AWS_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class S3Keys:
    """Static credentials. Never shown."""

    access_key_id: str
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Place:
    """A bucket, its region, and the server that has it: AWS unless an endpoint is given.

    Without keys, the client finds those of the machine (instance, container or web identity), and nothing is
    signed for others.
    """

    bucket: str
    region: str = AWS_REGION
    endpoint: str | None = None
    virtual_host: bool = False  # the bucket's name before the host's, instead of in the path
    keys: S3Keys | None = None

    @property
    def bucket_url(self) -> str:
        """The bucket's own address, without a trailing slash."""
        base = (self.endpoint or f"https://s3.{self.region}.amazonaws.com").rstrip("/")
        if not self.virtual_host:
            return f"{base}/{self.bucket}"
        scheme, _, rest = base.partition("://")
        return f"{scheme}://{self.bucket}.{rest}"

    @property
    def origin(self) -> str:
        """Scheme and host of the signed URLs, as a content security policy names them."""
        parts = urlsplit(self.bucket_url)
        return f"{parts.scheme}://{parts.netloc}"

    def url(self, key: str) -> str:
        """The address of an object."""
        return f"{self.bucket_url}/{quote(key, safe='/-_.~')}"
