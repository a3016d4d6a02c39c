"""A large object on its way in: a multipart upload that ends whole, or is aborted."""

import asyncio
from collections.abc import AsyncIterator

import obstore
from obstore.store import S3Store

PART_BYTES = 8 * 1024 * 1024  # 10,000 parts of it are 80 GB
_PARTS_AT_ONCE = 4


class _Abandoned(Exception):
    """Ends the client's upload; it aborts what an iterator's error interrupts, and only that."""


class Sending:
    """One multipart upload. Whatever happens, end with `finish` or `abort`."""

    def __init__(self, store: S3Store, key: str, content_type: str) -> None:
        self._queue: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._abandoned = False
        self._upload = asyncio.ensure_future(
            obstore.put_async(
                store,
                key,
                self._parts(),
                attributes={"Content-Type": content_type},
                use_multipart=True,
                chunk_size=PART_BYTES,
                max_concurrency=_PARTS_AT_ONCE,
            )
        )

    async def write(self, part: bytes) -> None:
        """Wait until the part is taken. Raises what the upload raises."""
        await self._give(part)

    async def finish(self) -> None:
        """Wait until the object is there."""
        await self._give(None)
        await asyncio.shield(self._upload)  # a cancelled client would leave its parts behind

    async def abort(self) -> None:
        """Leave nothing behind. Safe after `finish`."""
        self._abandoned = True
        while not self._queue.empty():
            self._queue.get_nowait()
        self._queue.put_nowait(None)
        while not self._upload.done():
            try:
                await asyncio.wait([self._upload])
            except asyncio.CancelledError:
                continue
        if not self._upload.cancelled():
            self._upload.exception()  # seen

    async def _give(self, part: bytes | None) -> None:
        giving = asyncio.ensure_future(self._queue.put(part))
        try:
            await asyncio.wait([giving, self._upload], return_when=asyncio.FIRST_COMPLETED)
        finally:
            giving.cancel()
        if self._upload.done():
            self._upload.result()

    async def _parts(self) -> AsyncIterator[bytes]:
        while (part := await self._queue.get()) is not None:
            yield part
        if self._abandoned:
            raise _Abandoned
