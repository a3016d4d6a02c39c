"""ComfyUI servers, what they can run, and the processes that drive them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from rushes.domain.fleet import Need
from rushes.domain.principal import Principal
from rushes.ports.comfy import SystemStats
from rushes.ports.shapes import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """One ComfyUI process."""

    id: UUID
    url: str
    name: str
    slots: int = 1
    enabled: bool = True
    draining: bool = False
    state: str = "unknown"
    version: str | None = None
    source: str = "settings"  # settings | demo | admin
    catalog: str | None = None  # digest of what it says it has


class ServerRegistry(Protocol):
    """The `comfy_servers` table."""

    async def configure(self, urls: Sequence[str], *, by: str, demo: bool = False) -> None:
        """Add the servers that a dispatcher's settings name (or the demo server); those that no living one names any
        more are disabled."""
        ...

    async def list(self) -> "list[Server]": ...

    async def describe(self) -> bytes:
        """All that administrators see of the servers: a JSON array."""
        ...

    async def add(self, url: str, *, name: str, slots: int) -> UUID:
        """Raises Conflict where the URL is there already."""
        ...

    async def change(self, server_id: UUID, changes: Mapping[str, Any]) -> bool:
        """Change name, slots, enabled or draining; enabling closes the breaker."""
        ...

    async def remove(self, server_id: UUID) -> bool:
        """Forget a server. Raises Conflict while it runs jobs."""
        ...

    async def seen(self, server_id: UUID, stats: "SystemStats") -> None: ...

    async def lost(self, server_id: UUID, error: str) -> None: ...

    async def rest(self, server_id: UUID, seconds: float, error: str) -> None:
        """Open its breaker for so long."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ability:
    """Whether a server has what a kind of job needs, and what is missing there."""

    server_id: UUID
    requires: str
    able: bool
    missing: list[str]
    catalog: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A verdict that has to be worked out."""

    server_id: UUID
    catalog: str
    need: Need


class FleetStore(Protocol):
    """What jobs need, what servers have, and who can run what."""

    async def store_need(self, need: Need) -> None: ...

    async def store_catalog(self, server_id: UUID, digest: str, nodes: Json) -> None: ...

    async def catalog(self, digest: str) -> Json: ...

    async def gaps(self) -> list[Gap]:
        """Pairs of enabled server and need without a verdict on the server's present catalog."""
        ...

    async def store_abilities(self, verdicts: Sequence[Ability]) -> None: ...

    async def abilities(self, digest: str) -> list[Ability]: ...

    async def waiting_needs(self) -> list[str]:
        """The kinds of jobs that wait now."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What the database says of the installation."""

    sees_rows: bool
    dispatchers: int
    servers: int
    servers_up: int
    waiting: int
    last_error: str | None = None


class Processes(Protocol):
    """Which dispatchers live."""

    async def alive(self, dispatcher_id: str) -> None: ...

    async def gone(self, dispatcher_id: str) -> None: ...

    async def readiness(self) -> Readiness: ...


class QueueDesk(Protocol):
    """The queue as people see it: how long it is, what is paused, how it went lately."""

    async def line(self, principal: Principal) -> bytes:
        """The queue line for a person, as JSON: counts, own position, a time range."""
        ...

    async def pauses(self) -> bytes:
        """What is paused: a JSON array."""
        ...

    async def pause(self, workflow_type: str, reason: str | None) -> None:
        """Hold back a workflow type, or `*` for all."""
        ...

    async def resume(self, workflow_type: str) -> bool: ...

    async def statistics(self, hours: int) -> bytes:
        """Waiting and run times, throughput and failures by type and by server, as JSON."""
        ...
