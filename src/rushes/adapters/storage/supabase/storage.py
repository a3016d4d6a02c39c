"""Objects in a bucket of Supabase Storage."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import quote

from rushes.adapters.storage.measured import Measured
from rushes.adapters.storage.paths import is_plain_key, plain_key
from rushes.adapters.storage.supabase.api import StorageApi
from rushes.adapters.storage.supabase.bucket import check_bucket, prepare_bucket
from rushes.adapters.storage.supabase.place import SupabasePlace
from rushes.adapters.storage.supabase.signing import BulkSigner
from rushes.adapters.storage.supabase.tus import CACHE_SECONDS, PART_BYTES, TusUpload, metadata
from rushes.domain.content import harmless_type
from rushes.domain.errors import NotFound
from rushes.ports import ObjectStat, SignedPut, Stored

SIGNED_SECONDS = 2 * 3600
_BLOCK = 1024 * 1024
_PAGE = 1000


class SupabaseStorage:
    """Meets ObjectStorage on a Supabase project; any number of processes may share a bucket.

    Types that a browser would execute are stored as plain bytes: signed URLs can't say as what to show a file.
    `signed` says whether browsers may be sent straight to the store.
    """

    def __init__(self, place: SupabasePlace, *, signed: bool = True) -> None:
        self._place = place
        self._signed = signed
        self._api = StorageApi(place)
        self._signer = BulkSigner(self._sign, seconds=SIGNED_SECONDS)

    async def start(self) -> None:
        """Make the bucket if it is missing. Raises Unavailable, InvalidSetting if it is public."""
        await prepare_bucket(self._api)

    async def aclose(self) -> None:
        """Close all connections."""
        await self._signer.aclose()
        await self._api.aclose()

    @property
    def signed_origin(self) -> str | None:
        """Where signed URLs lead, or None when there are none."""
        return self._place.origin if self._signed else None

    async def put(
        self, key: str, stream: AsyncIterator[bytes], *, content_type: str, limit: int | None = None
    ) -> Stored:
        """Store a stream whole or not at all. Raises TooLarge past `limit` bytes, StorageFull, Unavailable."""
        plain_key(key)
        measured = Measured(stream, limit=limit)
        parts = measured.parts(PART_BYTES)
        first = await anext(parts, b"")
        second = await anext(parts, b"")
        if second:
            await self._send(key, first, second, parts, harmless_type(content_type))
        else:
            await self._post(key, first, harmless_type(content_type))
        return measured.stored()

    async def stat(self, key: str) -> ObjectStat | None:
        """What is there, or None."""
        try:
            found = await self._api.ask("GET", f"/object/info/{self._place.path(plain_key(key))}", key=key)
        except NotFound:
            return None
        said = found.json()
        return _stat(key, said["size"], said["etag"], said["content_type"], said["last_modified"])

    async def open(self, key: str, *, start: int = 0, end: int | None = None) -> AsyncIterator[bytes]:
        """The bytes from start to end (exclusive), in blocks of at most 1 MiB. Raises NotFound at the first."""
        path = f"/object/authenticated/{self._place.path(plain_key(key))}"
        if end is not None and start >= end:
            return
        span = {"Range": f"bytes={start}-{'' if end is None else end - 1}"} if start or end else {}
        async with self._api.reading(path, headers=span, key=key) as answer:
            if answer is not None:
                async for block in answer.aiter_raw(_BLOCK):
                    yield block

    async def copy(self, source: str, target: str) -> None:
        """Give an object's bytes a second key, within the store. Raises NotFound."""
        payload = {
            "bucketId": self._place.bucket,
            "sourceKey": plain_key(source),
            "destinationKey": plain_key(target),
        }
        await self._api.ask("POST", "/object/copy", payload=payload, headers={"x-upsert": "true"}, key=source)

    async def delete_many(self, keys: Sequence[str]) -> None:
        """Delete objects, by the thousand; what is not there is no error."""
        wanted = [plain_key(key) for key in keys]
        for begin in range(0, len(wanted), _PAGE):
            payload = {"prefixes": wanted[begin : begin + _PAGE]}
            await self._api.ask("DELETE", f"/object/{quote(self._place.bucket, safe='')}", payload=payload)

    async def list(self, prefix: str) -> AsyncIterator[ObjectStat]:
        """Every object whose key begins with `prefix`, in the order of keys."""
        folder = prefix.rpartition("/")[0]
        if folder and not is_plain_key(folder):
            return
        page: dict[str, Any] = {"prefix": prefix, "limit": _PAGE, "with_delimiter": False}
        while True:
            answer = await self._api.ask(
                "POST", f"/object/list-v2/{quote(self._place.bucket, safe='')}", payload=page
            )
            found = answer.json()
            for one in found["objects"]:
                if one["name"].startswith(prefix):
                    yield _listed(one)
            if not found["hasNext"]:
                return
            page["cursor"] = found["nextCursor"]

    async def signed_get(
        self,
        key: str,
        *,
        seconds: int,  # noqa: ARG002 - it lasts as long as all of them
        content_type: str | None = None,  # noqa: ARG002 - it is what was stored
        download_name: str | None = None,
    ) -> str | None:
        """A URL under which the store serves the object; None when browsers may not go there. Raises NotFound."""
        plain_key(key)
        if not self._signed:
            return None
        url = await self._signer.url(key)
        if url is None:
            raise NotFound(f"There is no stored file {key}: it was deleted, or never stored.")
        return f"{url}&download={quote(download_name, safe='')}" if download_name else url

    async def signed_put(
        self,
        key: str,
        *,
        seconds: int,  # noqa: ARG002 - Supabase gives it two hours
        size_bytes: int,
        content_type: str,
    ) -> SignedPut | None:
        """A URL that takes the object once, by PUT or TUS; its size has to be looked at afterwards."""
        path = f"/object/upload/sign/{self._place.path(plain_key(key))}"
        if not self._signed:
            return None
        said = (await self._api.ask("POST", path, payload={})).json()
        safe_type = harmless_type(content_type)
        tus = {
            "url": f"{self._place.url}/upload/resumable/sign",
            "headers": {
                "x-signature": said["token"],
                "Upload-Metadata": metadata(self._place.bucket, key, safe_type),
            },
            "chunk_bytes": PART_BYTES,
        }
        return SignedPut(
            self._place.url + said["url"],
            {"Content-Type": safe_type},
            tus if size_bytes > PART_BYTES else None,
        )

    async def check(self) -> None:
        """Raise Unavailable when the bucket can't be reached with this key."""
        await check_bucket(self._api)

    async def _post(self, key: str, content: bytes, content_type: str) -> None:
        headers = {
            "Content-Type": content_type,
            "Cache-Control": f"max-age={CACHE_SECONDS}",
            "x-upsert": "true",
        }
        await self._api.ask("POST", f"/object/{self._place.path(key)}", body=content, headers=headers)

    async def _send(
        self, key: str, first: bytes, second: bytes, parts: AsyncIterator[bytes], content_type: str
    ) -> None:
        upload = TusUpload(self._api, key, content_type)
        try:
            await upload.begin()
            await upload.send(first, last=False)
            part = second
            async for following in parts:
                await upload.send(part, last=False)
                part = following
            await upload.send(part, last=True)
        except BaseException:
            await upload.abandon()
            raise

    async def _sign(self, keys: Sequence[str], seconds: int) -> dict[str, str | None]:
        payload = {"expiresIn": seconds, "paths": list(keys)}
        path = f"/object/sign/{quote(self._place.bucket, safe='')}"
        answer = await self._api.ask("POST", path, payload=payload)
        return {
            one["path"]: self._place.url + one["signedURL"] if one.get("signedURL") else None
            for one in json.loads(answer.body)
        }


def _stat(key: str, size: int, etag: str, content_type: str | None, modified: str) -> ObjectStat:
    return ObjectStat(
        key=key,
        size_bytes=int(size),
        etag=(etag or "").strip('"'),
        content_type=content_type,
        modified_at=datetime.fromisoformat(modified),
    )


def _listed(one: dict[str, Any]) -> ObjectStat:
    said = one.get("metadata") or {}
    return _stat(
        one["name"], said.get("size", 0), said.get("eTag", ""), said.get("mimetype"), one["updated_at"]
    )
