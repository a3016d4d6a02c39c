"""A stream on its way to a store elsewhere: cut into parts, counted and hashed as it passes."""

import hashlib
from collections.abc import AsyncIterator

from rushes.adapters.storage.offloop import off_loop
from rushes.domain.errors import TooLarge
from rushes.ports import Stored

_INLINE_BYTES = 64 * 1024  # below it, hashing takes less time than a hop to a thread


class Measured:
    """Passes a stream on in parts of one size; knows size and sha256 when it is through."""

    def __init__(self, stream: AsyncIterator[bytes], *, limit: int | None = None) -> None:
        self._stream = stream
        self._limit = limit
        self._sha256 = hashlib.sha256()
        self.size = 0

    async def parts(self, part_bytes: int) -> AsyncIterator[bytes]:
        """Parts of exactly `part_bytes`, the last one shorter and never empty. Raises TooLarge."""
        waiting = bytearray()
        async for block in self._stream:
            self._count(block)
            waiting += block
            while len(waiting) >= part_bytes:
                yield await self._hashed(bytes(waiting[:part_bytes]))
                del waiting[:part_bytes]
        if waiting:
            yield await self._hashed(bytes(waiting))

    def stored(self) -> Stored:
        """What has passed."""
        return Stored(self.size, self._sha256.hexdigest())

    def _count(self, block: bytes) -> None:
        self.size += len(block)
        if self._limit is not None and self.size > self._limit:
            raise TooLarge(
                f"The file is larger than the limit of {self._limit:,} bytes.", details={"limit": self._limit}
            )

    async def _hashed(self, part: bytes) -> bytes:
        if len(part) < _INLINE_BYTES:
            self._sha256.update(part)
        else:
            await off_loop(lambda: self._sha256.update(part))
        return part
