"""The `comfy_servers` and `dispatchers` tables, and what they say of the installation."""

import socket
from collections.abc import Sequence
from uuid import UUID

from psycopg.types.json import Jsonb

from rushes.adapters.postgres.pool import Database
from rushes.adapters.postgres.queries import query
from rushes.ports import Readiness, Server, SystemStats


class PostgresServerRegistry:
    """The port ServerRegistry."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def configure(self, urls: Sequence[str], *, demo: bool = False) -> None:
        source = "demo" if demo else "settings"
        await self._database.execute(query("server_configure"), {"urls": list(urls), "source": source})

    async def list(self) -> list[Server]:
        rows = await self._database.fetch_all(query("server_list"))
        names = ("id", "url", "name", "slots", "enabled", "draining", "state", "version", "source", "catalog")
        return [Server(**dict(zip(names, row[: len(names)], strict=True))) for row in rows]

    async def seen(self, server_id: UUID, stats: SystemStats) -> None:
        await self._database.execute(
            query("server_seen"),
            {"server_id": server_id, "version": stats.version, "devices": Jsonb(stats.devices)},
        )

    async def lost(self, server_id: UUID, error: str) -> None:
        await self._database.execute(query("server_lost"), {"server_id": server_id, "error": error})


class PostgresProcesses:
    """The port Processes."""

    def __init__(self, *, database: Database) -> None:
        self._database = database

    async def alive(self, dispatcher_id: str) -> None:
        await self._database.execute(
            query("dispatcher_alive"), {"id": dispatcher_id, "host": socket.gethostname()}
        )

    async def gone(self, dispatcher_id: str) -> None:
        await self._database.execute(query("dispatcher_gone"), {"id": dispatcher_id})

    async def readiness(self) -> Readiness:
        await self._database.check()
        row = await self._database.fetch(query("readiness"))
        assert row is not None
        names = ("dispatchers", "servers", "servers_up", "waiting", "last_error")
        return Readiness(sees_rows=True, **dict(zip(names, row, strict=True)))
