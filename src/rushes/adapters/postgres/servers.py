"""The `comfy_servers` and `dispatchers` tables, and what they say of the installation."""

import socket
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from psycopg.types.json import Jsonb

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.domain.errors import Conflict
from rushes.ports import Readiness, Server, SystemStats

_CHANGEABLE = ("name", "slots", "enabled", "draining")


class PostgresServerRegistry:
    """The port ServerRegistry."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def configure(self, urls: Sequence[str], *, by: str, demo: bool = False) -> None:
        source = "demo" if demo else "settings"
        params = {"by": by, "host": socket.gethostname(), "urls": list(urls), "source": source}
        await self._database.execute(query("server_configure"), params)

    async def list(self) -> list[Server]:
        rows = await self._database.fetch_all(query("server_list"))
        names = ("id", "url", "name", "slots", "enabled", "draining", "state", "version", "source", "catalog")
        return [Server(**dict(zip(names, row[: len(names)], strict=True))) for row in rows]

    async def describe(self) -> bytes:
        row = await self._database.fetch(query("server_describe"))
        assert row is not None
        return str(row[0]).encode()

    async def add(self, url: str, *, name: str, slots: int) -> UUID:
        row = await self._database.fetch(query("server_add"), {"url": url, "name": name, "slots": slots})
        if row is None:
            raise Conflict(f"{url} is in the list already. Enable it there if it is disabled.")
        added: UUID = row[0]
        return added

    async def change(self, server_id: UUID, changes: Mapping[str, Any]) -> bool:
        params = {"server_id": server_id} | {name: changes.get(name) for name in _CHANGEABLE}
        return await self._database.fetch(query("server_change"), params) is not None

    async def remove(self, server_id: UUID) -> bool:
        if await self._database.fetch(query("server_remove"), {"server_id": server_id}) is not None:
            return True
        if any(server.id == server_id for server in await self.list()):
            raise Conflict("It still runs jobs. Drain it first, and remove it when they have ended.")
        return False

    async def seen(self, server_id: UUID, stats: SystemStats) -> None:
        await self._database.execute(
            query("server_seen"),
            {"server_id": server_id, "version": stats.version, "devices": Jsonb(stats.devices)},
            durable=False,
        )

    async def lost(self, server_id: UUID, error: str) -> None:
        await self._database.execute(query("server_lost"), {"server_id": server_id, "error": error})

    async def rest(self, server_id: UUID, seconds: float, error: str) -> None:
        await self._database.execute(
            query("server_rest"), {"server_id": server_id, "seconds": seconds, "error": error}
        )


class PostgresProcesses:
    """The port Processes."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def alive(self, dispatcher_id: str) -> None:
        await self._database.execute(
            query("dispatcher_alive"), {"id": dispatcher_id, "host": socket.gethostname()}, durable=False
        )

    async def gone(self, dispatcher_id: str) -> None:
        await self._database.execute(query("dispatcher_gone"), {"id": dispatcher_id})

    async def readiness(self) -> Readiness:
        await self._database.check()
        row = await self._database.fetch(query("readiness"))
        assert row is not None
        names = ("dispatchers", "servers", "servers_up", "waiting", "last_error")
        return Readiness(sees_rows=True, **dict(zip(names, row, strict=True)))
