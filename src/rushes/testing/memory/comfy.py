"""The ports ComfyServer and ComfyEvents, for following one prompt."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from rushes.domain.comfy import ComfyFile
from rushes.ports import ComfyEvent, Json, PromptState, SystemStats


class MemoryComfy:
    """Each `find` gives the next of `script`, and its last for ever; an exception in it is raised."""

    def __init__(self, script: Sequence[PromptState | Exception]) -> None:
        self.script = list(script)
        self.looks = 0
        self.cancels: list[str] = []
        self.refuses_cancels: list[Exception] = []

    async def find(self, prompt_id: str, *, ended: bool = False) -> PromptState:  # noqa: ARG002  # there is only one
        self.looks += 1
        state = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(state, Exception):
            raise state
        return state

    async def cancel(self, prompt_id: str) -> None:
        self.cancels.append(prompt_id)
        if self.refuses_cancels:
            raise self.refuses_cancels.pop(0)

    async def system_stats(self) -> SystemStats:
        return SystemStats(version="0")

    async def object_info(self) -> Json:
        return {}

    async def upload(self, stream: AsyncIterator[bytes], **_: Any) -> str:
        raise NotImplementedError

    async def submit(self, prompt_id: str, graph: Json, *, client_id: str) -> None:
        raise NotImplementedError

    def view(self, file: ComfyFile) -> Any:
        raise NotImplementedError

    async def free(self) -> None:
        raise NotImplementedError

    @asynccontextmanager
    async def events(self, prompt_id: str, *, client_id: str | None = None) -> AsyncIterator["MemoryStream"]:  # noqa: ARG002
        yield MemoryStream()


class MemoryStream:
    """A websocket that says what it is given."""

    client_id = "memory"

    def __init__(self) -> None:
        self.alive = True
        self._messages: asyncio.Queue[ComfyEvent] = asyncio.Queue()

    def say(self, kind: str, prompt_id: str | None, **data: Any) -> None:
        """Send a message."""
        self._messages.put_nowait(ComfyEvent(type=kind, prompt_id=prompt_id, data=data))

    def at_hand(self) -> ComfyEvent | None:
        return None if self._messages.empty() else self._messages.get_nowait()

    async def next(self, timeout: float) -> ComfyEvent | None:
        try:
            return await asyncio.wait_for(self._messages.get(), timeout)
        except TimeoutError:
            return None
