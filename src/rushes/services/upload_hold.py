"""One writer at a time: whoever sends an upload's bytes holds it while they come."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from uuid import UUID

from rushes.domain.errors import Conflict, RushesError
from rushes.ports import Clock, Upload, UploadStore

HOLD_SECONDS = 30.0  # a connection that stands still for so long has lost it
RENEW_SECONDS = 5.0
LOOK_SECONDS = 600.0  # to look into what has come


class UploadHold:
    """The right to write one upload's bytes."""

    def __init__(self, store: UploadStore, upload: Upload, writer: UUID) -> None:
        self._store = store
        self._upload = upload
        self._writer = writer
        self._renewed = time.monotonic()

    async def take(self, *, over: bool) -> None:
        """Raises Conflict while somebody else holds it, unless it is to be taken `over` from him."""
        if not await self._hold(HOLD_SECONDS, over=over):
            raise Conflict(
                "Another request is sending the bytes of this upload. Wait for it, or create another upload."
            )

    async def renew(self, seconds: float = HOLD_SECONDS) -> None:
        """Raises Conflict when somebody else has it by now."""
        if not await self._hold(seconds, over=False):
            raise Conflict("Another request has taken this upload over, or its bytes are here already.")
        self._renewed = time.monotonic()

    async def passed(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        """The stream, for as long as it is ours to send. Raises Conflict."""
        async for block in stream:
            if time.monotonic() - self._renewed > RENEW_SECONDS:
                await self.renew()
            yield block
        await self.renew(LOOK_SECONDS)

    async def let_go(self) -> None:
        """Others may write it now."""
        await self._store.let_go(self._upload.id, self._writer)

    async def _hold(self, seconds: float, *, over: bool) -> bool:
        return await self._store.hold(self._upload.id, self._writer, seconds=seconds, over=over)


@asynccontextmanager
async def writing(
    store: UploadStore, clock: Clock, upload: Upload, *, over: bool = False
) -> AsyncIterator[UploadHold]:
    """Hold the upload for the length of the block. Raises Conflict."""
    hold = UploadHold(store, upload, clock.uuid7())
    await hold.take(over=over)
    try:
        yield hold
    finally:
        with suppress(RushesError):  # it runs out by itself
            await hold.let_go()
