"""What a server tells of one prompt, heard again whenever its websocket is lost or has gone quiet."""

import asyncio
import time
from contextlib import AbstractAsyncContextManager, suppress
from types import TracebackType
from typing import Self

from rushes.domain.comfy import ComfyUnreachable
from rushes.ports import ComfyEvent, ComfyEvents, ComfyServer

CONNECT_SECONDS = 5.0
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
QUIET_SECONDS = 300.0  # a socket can go deaf without closing


class PromptEvents:
    """Meets ComfyEvents. It is only a hint: without a socket nothing comes, and polling goes on.

    `client_id` is what the prompt was sent with, so that whoever takes the job over hears its progress too; of a
    prompt that is still to be sent, None.
    """

    def __init__(self, server: ComfyServer, prompt_id: str, *, client_id: str | None = None) -> None:
        self._server = server
        self._prompt_id = prompt_id
        self._client_id = client_id
        self._opened: AbstractAsyncContextManager[ComfyEvents] | None = None
        self._stream: ComfyEvents | None = None
        self._heard_at = time.monotonic()
        self._keeper: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._connect()
        # where there was no connection: under this one it will be heard once there is
        self._client_id = self._client_id or self._prompt_id.replace("-", "")
        self._keeper = asyncio.create_task(self._keep(), name=f"events {self._prompt_id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._keeper:
            self._keeper.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeper
        await self._close()

    @property
    def client_id(self) -> str:
        """What to send the prompt with."""
        assert self._client_id
        return self._client_id

    @property
    def alive(self) -> bool:
        """Whether anything can be heard now."""
        return self._stream is not None and self._stream.alive

    def at_hand(self) -> ComfyEvent | None:
        """The next message, if it has come already."""
        return self._heard(self._stream.at_hand()) if self._stream else None

    async def next(self, timeout: float) -> ComfyEvent | None:
        """The next message; None after `timeout` seconds, or when the socket is gone."""
        if self._stream is None:
            await asyncio.sleep(timeout)
            return None
        return self._heard(await self._stream.next(timeout))

    def _heard(self, event: ComfyEvent | None) -> ComfyEvent | None:
        if event is not None:
            self._heard_at = time.monotonic()
        return event

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            await asyncio.sleep(pause)
            if self.alive and time.monotonic() - self._heard_at < QUIET_SECONDS:
                pause = FIRST_PAUSE
                continue
            await self._close()
            await self._connect()
            pause = FIRST_PAUSE if self.alive else min(pause * 2, LONGEST_PAUSE)

    async def _connect(self) -> None:
        opened = self._server.events(self._prompt_id, client_id=self._client_id)
        try:
            self._stream = await asyncio.wait_for(opened.__aenter__(), CONNECT_SECONDS)
        except (ComfyUnreachable, TimeoutError):
            return
        self._opened, self._heard_at = opened, time.monotonic()
        self._client_id = self._stream.client_id

    async def _close(self) -> None:
        opened, self._opened, self._stream = self._opened, None, None
        if opened is not None:
            await opened.__aexit__(None, None, None)
