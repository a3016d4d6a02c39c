"""A ComfyUI server on the wire."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Protocol

from rushes.domain.comfy import ComfyFile
from rushes.ports.shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemStats:
    """What GET /system_stats says."""

    version: str
    devices: list[Json] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptState:
    """Where ComfyUI has a prompt: pending, running, finished (with its history entry) or unknown."""

    where: str
    history: Json | None = None
    position: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ComfyEvent:
    """A websocket message about one prompt; a hint, never the truth."""

    type: str
    prompt_id: str | None
    data: Json = field(default_factory=dict)


class ComfyEvents(Protocol):
    """What the server tells of one prompt, always being read."""

    @property
    def client_id(self) -> str: ...

    @property
    def alive(self) -> bool: ...

    def at_hand(self) -> ComfyEvent | None:
        """The next message, if it has come already."""
        ...

    async def next(self, timeout: float) -> ComfyEvent | None:
        """The next message, or None after `timeout` seconds without one or when the socket is gone."""
        ...


class ComfyServer(Protocol):
    """One ComfyUI server. Raises the errors of `rushes.domain.comfy`."""

    async def system_stats(self) -> SystemStats: ...

    async def object_info(self) -> Json: ...

    async def upload(self, stream: AsyncIterator[bytes], *, filename: str, subfolder: str, size: int) -> str:
        """Send an input file; the name to use for it in a graph."""
        ...

    async def submit(self, prompt_id: str, graph: Json, *, client_id: str) -> None:
        """Queue a graph; its events go to the connection with that client id.

        Raises PromptRejected, or ComfyUnreachable: then the prompt may be there all the same, so `find` it.
        """
        ...

    async def find(self, prompt_id: str, *, ended: bool = False) -> PromptState:
        """Look in the queue first, then in the history: prompts only move that way.

        With `ended` the server has said that it is over: then the history may answer alone.
        """
        ...

    async def cancel(self, prompt_id: str) -> None:
        """Cancel that prompt and no other, whether it waits or runs."""
        ...

    def view(self, file: ComfyFile) -> AbstractAsyncContextManager[AsyncIterator[bytes]]: ...

    async def free(self) -> None: ...

    def events(
        self, prompt_id: str, *, client_id: str | None = None
    ) -> AbstractAsyncContextManager["ComfyEvents"]:
        """Hear of a prompt that was sent with that client id; without one, of a prompt to be sent with the stream's.

        Prompts of one process share a websocket. Two processes on one id leave the newer one deaf.
        """
        ...


class ComfyServers(Protocol):
    """Gives the client for a configured server."""

    def at(self, url: str) -> ComfyServer: ...

    def address(self, url: str) -> str:
        """The URL as it is kept: without credentials and trailing slash. Raises ComfyUnreachable."""
        ...
