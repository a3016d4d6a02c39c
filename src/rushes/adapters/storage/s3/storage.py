"""Objects in an S3 bucket."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store

from rushes.adapters.storage.measured import Measured
from rushes.adapters.storage.paths import is_plain_key, plain_key
from rushes.adapters.storage.s3.bucket import make_bucket
from rushes.adapters.storage.s3.faults import BucketMissing, out_of_range, s3_faults
from rushes.adapters.storage.s3.place import S3Place
from rushes.adapters.storage.s3.presign import presigned
from rushes.adapters.storage.s3.sending import PART_BYTES, Sending
from rushes.domain.disposition import attachment
from rushes.domain.errors import NotFound
from rushes.ports import ObjectStat, SignedPut, Stored

if TYPE_CHECKING:
    from obstore import GetOptions, GetResult, ObjectMeta

_BLOCK = 1024 * 1024
_PAGE = 1000


class S3Storage:
    """Meets ObjectStorage on any store that speaks S3; any number of processes may share a bucket.

    `signed` says whether browsers may be sent straight to the store.
    """

    def __init__(
        self, place: S3Place, *, signed: bool = True, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._place = place
        self._signed = signed
        self._now = now
        self._store = _client(place, stall_seconds=30)
        self._uploads = _client(
            place, stall_seconds=600
        )  # putting thousands of parts together takes its time

    async def start(self) -> None:
        """Make the bucket if it is missing. Raises Unavailable."""
        try:
            await self.check()
        except BucketMissing:
            with s3_faults(self._place):
                await make_bucket(self._place, self._store)
            await self.check()

    async def aclose(self) -> None:
        """Nothing is open between calls."""

    @property
    def signed_origin(self) -> str | None:
        """Where signed URLs lead, or None when there are none."""
        return self._place.origin if self._signed and self._place.keys else None

    async def put(
        self, key: str, stream: AsyncIterator[bytes], *, content_type: str, limit: int | None = None
    ) -> Stored:
        """Store a stream whole or not at all. Raises TooLarge past `limit` bytes, StorageFull, Unavailable."""
        measured = Measured(stream, limit=limit)
        parts = measured.parts(PART_BYTES)
        plain_key(key)
        first = await anext(parts, b"")
        if len(first) == PART_BYTES:
            await self._send(key, first, parts, content_type)
        else:
            with s3_faults(self._place):
                await obstore.put_async(
                    self._store, key, first, attributes={"Content-Type": content_type}, use_multipart=False
                )
        return measured.stored()

    async def stat(self, key: str) -> ObjectStat | None:
        """What is there, or None."""
        plain_key(key)
        try:
            with s3_faults(self._place, key):
                found: GetResult = await obstore.get_async(self._store, key, options={"head": True})
        except NotFound:
            return None
        return _stat(found.meta, found.attributes.get("Content-Type"))

    async def open(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from start to end (exclusive), in blocks of about 1 MiB. Raises NotFound at the first."""
        found = await self._get(plain_key(key), start, end)
        if found is None:
            return
        blocks = aiter(found.stream(min_chunk_size=_BLOCK))
        while True:
            with s3_faults(self._place, key):
                block = await anext(blocks, None)
            if block is None:
                return
            yield bytes(block)

    async def copy(self, source: str, target: str) -> None:
        """Give an object's bytes a second key, within the store. Raises NotFound."""
        plain_key(source)
        plain_key(target)
        with s3_faults(self._place, source):
            if source == target:  # which S3 refuses
                await obstore.head_async(self._store, source)
            else:
                await obstore.copy_async(self._store, source, target)

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Delete objects, by the thousand; what is not there is no error."""
        wanted = [plain_key(key) for key in keys]
        for begin in range(0, len(wanted), _PAGE):
            with s3_faults(self._place), contextlib.suppress(FileNotFoundError):
                await obstore.delete_async(self._store, wanted[begin : begin + _PAGE])

    async def list(self, prefix: str) -> AsyncIterator[ObjectStat]:
        """Every object whose key begins with `prefix`, in the order of keys."""
        folder = prefix.rpartition("/")[0]
        if folder and not is_plain_key(folder):
            return
        pages = aiter(obstore.list(self._store, prefix=folder or None, chunk_size=_PAGE))
        while True:
            with s3_faults(self._place):
                page = await anext(pages, None)
            if page is None:
                return
            for found in page:
                if found["path"].startswith(prefix):
                    yield _stat(found, None)

    async def signed_get(
        self,
        key: str,
        *,
        seconds: int,
        content_type: str | None = None,
        download_name: str | None = None,
    ) -> str | None:
        """A URL under which the store serves the object; None without keys of our own to sign with."""
        shown = {
            **({"response-content-type": content_type} if content_type else {}),
            **({"response-content-disposition": attachment(download_name)} if download_name else {}),
            "response-cache-control": f"private, max-age={seconds}, immutable",
        }
        return self._sign("GET", key, seconds, query=shown)

    async def signed_put(
        self, key: str, *, seconds: int, size_bytes: int, content_type: str
    ) -> SignedPut | None:
        """A URL that takes a PUT of exactly that size and type; None as for signed_get."""
        headers = {"Content-Type": content_type}
        # a browser sends the length by itself, and lets no script do it
        url = self._sign("PUT", key, seconds, headers={**headers, "Content-Length": str(size_bytes)})
        return SignedPut(url, headers) if url else None

    async def check(self) -> None:
        """Raise Unavailable when the bucket can't be reached with these keys."""
        with s3_faults(self._place):
            await obstore.list_with_delimiter_async(self._store, prefix="check")

    async def _send(self, key: str, first: bytes, parts: AsyncIterator[bytes], content_type: str) -> None:
        sending = Sending(self._uploads, key, content_type)
        try:
            with s3_faults(self._place):
                await sending.write(first)
            async for part in parts:
                with s3_faults(self._place):
                    await sending.write(part)
            with s3_faults(self._place):
                await sending.finish()
        except BaseException:
            await sending.abort()
            raise

    async def _get(self, key: str, start: int, end: int | None) -> GetResult | None:
        """None where the range holds nothing."""
        if end is not None and start >= end:
            return None
        options: GetOptions = {"range": {"offset": start} if end is None else (start, end)}
        with s3_faults(self._place, key):
            try:
                return await obstore.get_async(self._store, key, options=options if start or end else None)
            except (BaseError, ValueError) as error:
                if out_of_range(error):
                    return None
                raise

    def _sign(
        self,
        method: str,
        key: str,
        seconds: int,
        *,
        query: dict[str, str] | None = None,
        headers: dict[str, str] | None = None,
    ) -> str | None:
        url = self._place.url(plain_key(key))
        if not self._signed or self._place.keys is None:
            return None
        return presigned(
            self._place,
            self._place.keys,
            method,
            url,
            now=self._now(),
            seconds=seconds,
            query=query,
            headers=headers,
        )


def _client(place: S3Place, *, stall_seconds: int) -> S3Store:
    keys = place.keys
    given = {
        "endpoint": place.endpoint
        and (place.bucket_url if place.virtual_host else place.endpoint.rstrip("/")),
        "access_key_id": keys and keys.access_key_id,
        "secret_access_key": keys and keys.secret_access_key,
        "session_token": keys and keys.session_token,
    }
    return S3Store(
        place.bucket,
        region=place.region,
        virtual_hosted_style_request=place.virtual_host,
        client_options={
            "allow_http": True,
            "connect_timeout": "5s",
            "timeout": "1h",
            "read_timeout": f"{stall_seconds}s",
        },
        retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=stall_seconds)},
        **{name: value for name, value in given.items() if value},  # type: ignore[arg-type]  # strings all
    )


def _stat(meta: ObjectMeta, content_type: str | None) -> ObjectStat:
    return ObjectStat(
        key=meta["path"],
        size_bytes=meta["size"],
        etag=(meta["e_tag"] or "").strip('"'),
        content_type=content_type,
        modified_at=meta["last_modified"],
    )
