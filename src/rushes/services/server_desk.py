"""What administrators do with servers and the queue: add, test, drain, free memory, pause."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from rushes.domain.comfy import ComfyError
from rushes.domain.errors import Forbidden, InvalidInput, NotFound, Unavailable
from rushes.domain.principal import Principal
from rushes.ports import ComfyServers, JobEvents, QueueDesk, Server, ServerRegistry, WorkflowCatalog
from rushes.services.fleet import Fleet
from rushes.services.submission import PRODUCTION

NO_SUCH_SERVER = "There is no such server."
EVERYTHING = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What a test of a server found."""

    ok: bool
    message: str
    version: str | None = None
    milliseconds: float | None = None
    node_classes: int | None = None
    can_run: tuple[str, ...] = ()
    cannot_run: Mapping[str, str] | None = None


class ServerDesk:
    """Administrators only; everything else raises Forbidden."""

    def __init__(
        self,
        *,
        servers: ServerRegistry,
        queue: QueueDesk,
        comfy: ComfyServers,
        fleet: Fleet,
        catalog: WorkflowCatalog,
        events: JobEvents,
    ) -> None:
        self._servers = servers
        self._queue = queue
        self._comfy = comfy
        self._fleet = fleet
        self._catalog = catalog
        self._events = events

    async def list(self, principal: Principal) -> bytes:
        """All servers, as a JSON array."""
        _admin(principal)
        return await self._servers.describe()

    async def add(
        self, principal: Principal, url: str, *, name: str | None, slots: int
    ) -> tuple[UUID, Trial]:
        """Add a server that answers as a ComfyUI. Raises InvalidInput where it doesn't, Conflict."""
        _admin(principal)
        if "@" in url:
            raise InvalidInput(
                {"url": "has credentials in it; name such a server in RUSHES_COMFY_URLS instead"}
            )
        trial = await self._try(url)
        if not trial.ok:
            raise InvalidInput({"url": trial.message})
        address = self._comfy.address(url)
        server_id = await self._servers.add(address, name=name or address, slots=slots)
        self._fleet.forget()
        await self._events.notify("jobs")
        return server_id, trial

    async def test(self, principal: Principal, server_id: UUID) -> Trial:
        """Ask a server what it is and what it can run."""
        server = await self._server(principal, server_id)
        return await self._try(server.url)

    async def change(self, principal: Principal, server_id: UUID, changes: Mapping[str, Any]) -> None:
        """Rename, enable, disable, drain, change slots."""
        await self._server(principal, server_id)
        await self._servers.change(server_id, changes)
        self._fleet.forget()
        await self._events.notify("jobs")

    async def remove(self, principal: Principal, server_id: UUID) -> None:
        """Forget a server that runs nothing."""
        await self._server(principal, server_id)
        await self._servers.remove(server_id)
        self._fleet.forget()

    async def free(self, principal: Principal, server_id: UUID) -> None:
        """Unload its models and free its memory. Raises Unavailable."""
        server = await self._server(principal, server_id)
        try:
            await self._comfy.at(server.url).free()
        except ComfyError as error:
            raise Unavailable(error.message) from None

    async def pause(self, principal: Principal, workflow_type: str, reason: str | None) -> None:
        """Hold back a workflow type, or `*` for all; what runs goes on."""
        _admin(principal)
        if workflow_type != EVERYTHING:
            self._catalog.get(workflow_type)
        await self._queue.pause(workflow_type, reason)

    async def resume(self, principal: Principal, workflow_type: str) -> None:
        """Let it go on."""
        _admin(principal)
        if not await self._queue.resume(workflow_type):
            raise NotFound(f"{workflow_type} is not paused.")
        await self._events.notify("jobs")

    async def pauses(self, principal: Principal) -> bytes:
        """What is paused, as a JSON array."""
        _admin(principal)
        return await self._queue.pauses()

    async def statistics(self, principal: Principal, hours: int) -> bytes:
        """How it went in the last hours, as JSON."""
        _admin(principal)
        return await self._queue.statistics(hours)

    async def _server(self, principal: Principal, server_id: UUID) -> Server:
        _admin(principal)
        for server in await self._servers.list():
            if server.id == server_id:
                return server
        raise NotFound(NO_SUCH_SERVER)

    async def _try(self, url: str) -> Trial:
        began = time.perf_counter()
        try:
            client = self._comfy.at(url)
            stats = await client.system_stats()
            milliseconds = (time.perf_counter() - began) * 1000
            nodes = await client.object_info()
        except ComfyError as error:
            return Trial(ok=False, message=error.message)
        verdicts = {
            workflow.type: self._fleet.lacks(workflow, PRODUCTION, nodes)
            for workflow in self._catalog.list()
            if PRODUCTION in workflow.graphs
        }
        return Trial(
            ok=True,
            message=f"ComfyUI {stats.version} answers.",
            version=stats.version,
            milliseconds=round(milliseconds, 1),
            node_classes=len(nodes),
            can_run=tuple(sorted(name for name, why in verdicts.items() if why is None)),
            cannot_run={name: why for name, why in verdicts.items() if why is not None},
        )


def _admin(principal: Principal) -> None:
    if not principal.is_admin:
        raise Forbidden("This is for administrators. Sign in with the link that `rushes up` prints.")
