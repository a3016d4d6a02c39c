"""Object storage, and the deletes that must reach it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectStat:
    """What the store says of an object."""

    key: str
    size_bytes: int
    etag: str
    content_type: str | None = None
    modified_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """What a put really stored."""

    size_bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class SignedPut:
    """A short-lived URL that takes an object by PUT, and the headers to send with it.

    `tus` is the same by the TUS protocol, for files that should survive a broken connection.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str]
    tus: Mapping[str, Any] | None = field(default=None, repr=False)


class ObjectStorage(Protocol):
    """One bucket of keys. Everything streams."""

    @property
    def signed_origin(self) -> str | None:
        """Scheme and host of the signed URLs; None where this store makes none."""
        ...

    async def put(
        self, key: str, stream: AsyncIterator[bytes], *, content_type: str, limit: int | None = None
    ) -> "Stored":
        """Store a stream whole or not at all. Raises TooLarge past `limit` bytes, StorageFull, Unavailable."""
        ...

    async def stat(self, key: str) -> ObjectStat | None: ...

    def open(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from start to end (exclusive). Raises NotFound."""
        ...

    async def copy(self, source: str, target: str) -> None: ...

    async def delete_many(self, keys: Sequence[str]) -> None:
        """What is not there is no error."""
        ...

    def list(self, prefix: str) -> AsyncIterator[ObjectStat]: ...

    async def signed_get(
        self,
        key: str,
        *,
        seconds: int,
        content_type: str | None = None,
        download_name: str | None = None,
    ) -> str | None:
        """A short-lived URL that serves the object as `content_type`, saved under `download_name` if there is one.

        None where this store can't make one. May raise NotFound.
        """
        ...

    async def signed_put(
        self, key: str, *, seconds: int, size_bytes: int, content_type: str
    ) -> SignedPut | None:
        """Where a client may put one object of that size itself; None where this store can't say."""
        ...

    async def check(self) -> None:
        """Raise Unavailable or StorageFull when nothing can be stored."""
        ...


@dataclass(frozen=True, slots=True)
class OutboxEntry:
    """One delete: of a prefix, or of single keys."""

    id: int
    action: str
    target: Any
    tries: int


class StorageOutbox(Protocol):
    """Deletes that must reach the object storage."""

    async def take(self, *, limit: int = 20) -> "list[OutboxEntry]": ...

    async def done(self, entry_id: int) -> None: ...

    async def failed(self, entry_id: int, error: str) -> None: ...
