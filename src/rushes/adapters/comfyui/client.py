"""ComfyUI over HTTP: the ports ComfyServers and ComfyServer."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager

from rushes.adapters.comfyui import view
from rushes.adapters.comfyui.address import Address
from rushes.adapters.comfyui.events import EventStream
from rushes.adapters.comfyui.prompts import Prompts
from rushes.adapters.comfyui.sockets import Sockets
from rushes.adapters.comfyui.upload import send_file
from rushes.adapters.comfyui.wire import CONNECT_SECONDS, STALL_SECONDS, Wire
from rushes.adapters.http import default_tls
from rushes.domain.comfy import ComfyFile, ComfyUnreachable
from rushes.ports import Json, PromptState, SystemStats


class HttpComfyServers:
    """One client per configured URL; `headers` maps a URL to what every request to it carries.

    With `tls` an installation trusts other certificates than the system's.
    """

    def __init__(
        self,
        *,
        headers: Mapping[str, Mapping[str, str]] | None = None,
        tls: ssl.SSLContext | None = None,
        connect_seconds: float = CONNECT_SECONDS,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        self._headers = {url.rstrip("/"): dict(of_url) for url, of_url in (headers or {}).items()}
        self._tls = tls or default_tls()  # one for all: each costs 20 ms and megabytes
        self._connect_seconds = connect_seconds
        self._stall_seconds = stall_seconds
        self._servers: dict[str, HttpComfyServer] = {}

    def at(self, url: str) -> "HttpComfyServer":
        """The client for that URL. Raises ComfyUnreachable for what is no http(s) address."""
        if url not in self._servers:
            self._servers[url] = HttpComfyServer(
                Address.parse(url, self._headers.get(url.rstrip("/"))),
                tls=self._tls,
                connect_seconds=self._connect_seconds,
                stall_seconds=self._stall_seconds,
            )
        return self._servers[url]

    def address(self, url: str) -> str:
        """The URL as it is kept. Raises ComfyUnreachable for what is no http(s) address."""
        return Address.parse(url).url

    async def aclose(self) -> None:
        """Close every connection."""
        servers, self._servers = self._servers, {}
        await asyncio.gather(*(server.aclose() for server in servers.values()))


class HttpComfyServer:
    """One ComfyUI server of either generation; what it lacks is found out by asking."""

    def __init__(
        self, address: Address, *, tls: ssl.SSLContext, connect_seconds: float, stall_seconds: float
    ) -> None:
        self._address = address
        self._wire = Wire(address, tls=tls, connect_seconds=connect_seconds, stall_seconds=stall_seconds)
        self._prompts = Prompts(self._wire)
        self._sockets = Sockets(address, tls=tls, connect_seconds=connect_seconds)

    async def aclose(self) -> None:
        await self._wire.aclose()

    async def system_stats(self) -> SystemStats:
        """Version and devices; also notices an upgrade behind the same URL."""
        answer = await self._wire.get("/system_stats")
        system, devices = answer.get("system"), answer.get("devices")
        if not isinstance(system, dict):
            raise ComfyUnreachable(
                f"{self._address.url} answered, but not as a ComfyUI does. Is another program there?"
            )
        version = str(system.get("comfyui_version") or "unknown")
        self._prompts.served_by(version)
        return SystemStats(version=version, devices=devices if isinstance(devices, list) else [])

    async def object_info(self) -> Json:
        """Every node class with its inputs; costs the server 0.1 s and more."""
        return await self._wire.get("/object_info")

    async def upload(self, stream: AsyncIterator[bytes], *, filename: str, subfolder: str, size: int) -> str:
        """Send an input file of `size` bytes; the name to use for it in a graph. Raises PromptRejected."""
        return await send_file(self._wire, stream, filename=filename, subfolder=subfolder, size=size)

    async def submit(self, prompt_id: str, graph: Json, *, client_id: str) -> None:
        """Queue a graph. Raises PromptRejected, or ComfyUnreachable: then the prompt may be there, so `find` it."""
        await self._prompts.submit(prompt_id, graph, client_id=client_id)

    async def find(self, prompt_id: str, *, ended: bool = False) -> PromptState:
        """Where the prompt is: pending, running, finished or unknown; `ended`: it says that it has ended."""
        return await self._prompts.find(prompt_id, ended=ended)

    async def cancel(self, prompt_id: str) -> None:
        """Cancel that prompt and no other; what is not there is no error."""
        await self._prompts.cancel(prompt_id)

    def view(self, file: ComfyFile) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """Stream a file, whole or with an error. Raises ComfyFileMissing."""
        return view.stream(self._wire, file)

    async def free(self) -> None:
        """Unload all models and the result cache."""
        await self._wire.post("/free", {"unload_models": True, "free_memory": True})

    def events(
        self, prompt_id: str, *, client_id: str | None = None
    ) -> AbstractAsyncContextManager[EventStream]:
        """Hear of a prompt: of one that was sent with `client_id`, or that will be sent with the stream's."""
        return self._sockets.of(prompt_id, client_id)
