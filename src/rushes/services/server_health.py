"""Whether each ComfyUI server is there, asked on a schedule of its own."""

import asyncio
import time
from dataclasses import dataclass, field, replace
from uuid import UUID

import structlog

from rushes.domain.comfy import ComfyError
from rushes.domain.errors import Unavailable
from rushes.ports import ComfyServers, Server, ServerRegistry
from rushes.services.fleet import Fleet

log = structlog.get_logger("rushes.servers")

WHEN_UP, WHEN_DOWN, LEARN_EVERY = 5.0, 1.0, 300.0
REST_SECONDS = 300.0  # of a server that stands still


@dataclass
class _Watched:
    server: Server
    due: float = 0.0
    learn_due: float = 0.0
    asking: asyncio.Task[None] | None = field(default=None)
    stuck: str | None = None  # the prompt at which it stands still


class ServerHealth:
    """Asks /system_stats of each server, several at a time, and books the answer."""

    def __init__(self, *, comfy: ComfyServers, servers: ServerRegistry, fleet: Fleet) -> None:
        self._comfy = comfy
        self._servers = servers
        self._fleet = fleet
        self._watched: dict[UUID, _Watched] = {}
        self._stir = asyncio.Event()

    def watch(self, server: Server) -> None:
        """Keep asking this server, unless it is disabled."""
        if not server.enabled:
            self._watched.pop(server.id, None)
        elif watched := self._watched.get(server.id):
            watched.server = server
        else:
            self._watched[server.id] = _Watched(server)

    async def doubt(self, server_id: UUID, why: str) -> None:
        """A job has just met something wrong with it: it gets none before it has answered again."""
        await self._servers.lost(server_id, why)
        if watched := self._watched.get(server_id):
            watched.due, watched.server = 0.0, replace(watched.server, state="down")
            self._stir.set()

    async def stands_still(self, server_id: UUID, prompt_id: str, why: str) -> None:
        """It answers and does nothing: it rests for a while, and for as long as it doesn't get over that prompt."""
        await self._servers.rest(server_id, REST_SECONDS, why)
        if watched := self._watched.get(server_id):
            watched.stuck = prompt_id

    async def stirred(self, seconds: float) -> bool:
        """Wait for news of a server, so long at most; whether there is any."""
        try:
            await asyncio.wait_for(self._stir.wait(), seconds)
        except TimeoutError:
            return False
        self._stir.clear()
        return True

    async def check_due(self) -> None:
        """Ask those whose turn it is; slow ones don't hold up the others."""
        now = time.monotonic()
        for watched in self._watched.values():
            if watched.due <= now and (watched.asking is None or watched.asking.done()):
                watched.asking = asyncio.create_task(self._asked(watched))
        asking = [w.asking for w in self._watched.values() if w.asking and not w.asking.done()]
        if asking:
            await asyncio.wait(asking, timeout=0.5)

    async def _asked(self, watched: _Watched) -> None:
        """Nobody waits for this task's outcome, so it has to tell its own troubles."""
        try:
            await self._ask(watched)
        except Unavailable as error:
            watched.due = time.monotonic() + WHEN_DOWN
            log.warning("could not book a server's health", server=watched.server.url, error=error.message)
        except Exception:
            watched.due = time.monotonic() + WHEN_UP
            log.exception("looking at a server broke", server=watched.server.url)

    async def _ask(self, watched: _Watched) -> None:
        server = watched.server
        client = self._comfy.at(server.url)
        try:
            stats = await client.system_stats()
            if (
                server.state != "up"
                or server.version != stats.version
                or watched.learn_due <= time.monotonic()
            ):
                # It may come back with other nodes and models than it had. What it has is known before it is
                # called up, so that it is never given what it can't run.
                await self._fleet.learn(server, await client.object_info())
                watched.learn_due = time.monotonic() + LEARN_EVERY
            if watched.stuck:
                await self._look_at_the_stuck(watched, watched.stuck)
        except ComfyError as error:
            watched.due = time.monotonic() + WHEN_DOWN
            if server.state != "down":
                log.warning("server is down", server=server.url, error=error.message)
            await self._servers.lost(server.id, error.message)
            self._stir.set()
            return
        watched.due = time.monotonic() + WHEN_UP
        await self._servers.seen(server.id, stats)
        if server.state != "up":
            log.info("server is up", server=server.url, version=stats.version)
            self._stir.set()

    async def _look_at_the_stuck(self, watched: _Watched, prompt_id: str) -> None:
        state = await self._comfy.at(watched.server.url).find(prompt_id)
        if state.where == "running":
            why = f"{watched.server.url} stands still at a prompt that it can't even cancel. Restart that ComfyUI."
            await self._servers.rest(watched.server.id, REST_SECONDS, why)
        else:
            watched.stuck = None
