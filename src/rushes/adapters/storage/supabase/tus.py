"""Large objects on their way in, by TUS: in parts, each of them sent until it has arrived."""

import base64
import contextlib

from rushes.adapters.http import NoAnswer
from rushes.adapters.storage.supabase.api import TRIES, ApiAnswer, StorageApi
from rushes.adapters.storage.supabase.bucket import TUS_PATH, size_limit
from rushes.adapters.storage.supabase.faults import Refusal, in_words
from rushes.domain.errors import RushesError

PART_BYTES = 6 * 1024 * 1024  # Supabase takes no other size but for the last one
CACHE_SECONDS = "3600"
_COMMON = {"Tus-Resumable": "1.0.0", "x-upsert": "true"}  # the second is asked of every request anew
_MOVED_ON = {409, 423, 460}  # somebody (most likely our own broken try) has written, or is still writing


class TusUpload:
    """One upload whose length nobody knows before its end. End with a last part, or with `abandon`."""

    def __init__(self, api: StorageApi, key: str, content_type: str) -> None:
        self._api = api
        self._key = key
        self._content_type = content_type
        self._path = ""
        self._offset = 0

    async def begin(self) -> None:
        """Announce it. Raises Unavailable."""
        headers = {
            **_COMMON,
            "Upload-Defer-Length": "1",
            "Upload-Metadata": metadata(self._api.place.bucket, self._key, self._content_type),
        }
        answer = await self._api.ask("POST", TUS_PATH, headers=headers)
        # the server can't know its own address behind a proxy: only the last word of it is used
        self._path = f"{TUS_PATH}/{answer.headers['location'].rsplit('/', 1)[-1]}"

    async def send(self, part: bytes, *, last: bool) -> None:
        """The next part, whatever of it had to be sent again. Raises TooLarge, Unavailable."""
        begin, end = self._offset, self._offset + len(part)
        for tries_left in reversed(range(TRIES)):
            try:
                await self._patch(part[self._offset - begin :], end if last else None)
            except (Refusal, NoAnswer) as error:
                refused = error if isinstance(error, Refusal) else await self._unheard(end, last=last)
                final = refused is not None and not refused.may_pass and refused.status not in _MOVED_ON
                if final or not tries_left:
                    raise in_words(self._api.place, refused or error, self._key) from error
                await self._api.pause(tries_left)
                self._offset = await self._arrived(begin, end, last=last)
            else:
                self._offset = end
            if self._offset == end:
                return

    async def abandon(self) -> None:
        """Leave nothing behind; what can't be reached expires by itself."""
        if self._path:
            with contextlib.suppress(Refusal, NoAnswer):
                await self._api.once("DELETE", self._path, body=None, headers=_COMMON)

    async def _patch(self, content: bytes, length: int | None) -> ApiAnswer:
        headers = {
            **_COMMON,
            "Content-Type": "application/offset+octet-stream",
            "Upload-Offset": str(self._offset),
            **({"Upload-Length": str(length)} if length is not None else {}),
        }
        return await self._api.once("PATCH", self._path, body=content, headers=headers)

    async def _unheard(self, end: int, *, last: bool) -> Refusal | None:
        """Why the connection was closed: a refusal that comes before the part is through gets lost with it."""
        try:
            if last:
                await self._patch(b"", end)
            else:
                # its length is for the last part to say; so whether it could be that long is looked up
                most = await size_limit(self._api)
                if most is not None and end > most:
                    return Refusal(413, "", "Maximum size exceeded")
        except Refusal as error:
            return error
        except NoAnswer:
            pass
        return None

    async def _arrived(self, begin: int, end: int, *, last: bool) -> int:
        """How far the server has come."""
        try:
            answer = await self._api.once("HEAD", self._path, body=None, headers=_COMMON)
            return max(begin, min(end, int(answer.headers["upload-offset"])))
        except NoAnswer:
            return self._offset
        except (Refusal, KeyError, ValueError):
            # a finished upload is gone from here: then the object is there
            return end if last and await self._is_stored(end) else self._offset

    async def _is_stored(self, size: int) -> bool:
        try:
            found = await self._api.ask("GET", f"/object/info/{self._api.place.path(self._key)}")
        except RushesError:
            return False
        return bool(found.json().get("size") == size)


def metadata(bucket: str, key: str, content_type: str) -> str:
    """The header Upload-Metadata."""
    said = {
        "bucketName": bucket,
        "objectName": key,
        "contentType": content_type,
        "cacheControl": CACHE_SECONDS,
    }
    return ",".join(f"{name} {base64.b64encode(value.encode()).decode()}" for name, value in said.items())
