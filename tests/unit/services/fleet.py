"""A dispatcher with everything around it in memory, and a runner that does as it is told."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast
from uuid import UUID

from rushes.ports import Readiness, Server, ServerRegistry
from rushes.services.dispatcher import Dispatcher
from rushes.services.hold import Hold
from rushes.services.runner import Runner
from rushes.services.server_health import ServerHealth
from rushes.testing.memory.events import MemoryEvents
from rushes.testing.memory.queue import MemoryQueue
from tests.unit.services.claims import SERVER_ID
from tests.unit.services.waiting import until

UP = Server(id=SERVER_ID, url="http://gpu:8188", name="gpu", state="up")


class Registry:
    """The servers there are."""

    def __init__(self) -> None:
        self.servers: list[Server] = [UP]

    async def list(self) -> list[Server]:
        return self.servers


class NoHealth:
    """Servers are as the registry says."""

    def watch(self, server: Server) -> None: ...

    async def check_due(self) -> None: ...

    async def stirred(self, seconds: float) -> bool:
        await asyncio.sleep(min(seconds, 0.05))
        return False


class Signing:
    """Which dispatchers signed on and off."""

    def __init__(self) -> None:
        self.on: set[str] = set()

    async def alive(self, dispatcher_id: str) -> None:
        self.on.add(dispatcher_id)

    async def gone(self, dispatcher_id: str) -> None:
        self.on.discard(dispatcher_id)

    async def readiness(self) -> Readiness:
        raise NotImplementedError


class Works:
    """A runner whose jobs stay in hand until `finish`, or until they are told to stop."""

    def __init__(self) -> None:
        self.in_hand: dict[UUID, Hold] = {}
        self.free: dict[UUID, Callable[[], None]] = {}
        self.breaks: type[Exception] | None = None
        self._finish = asyncio.Event()

    def finish(self) -> None:
        self._finish.set()

    async def run(self, hold: Hold, executed: Callable[[], None]) -> None:
        self.in_hand[hold.job_id], self.free[hold.job_id] = hold, executed
        if self.breaks is not None:
            raise self.breaks("broken")
        await until(lambda: self._finish.is_set() or hold.lost or hold.stopping, 60)


class Fleet:
    def __init__(self) -> None:
        self.queue, self.events, self.registry = MemoryQueue(), MemoryEvents(), Registry()
        self.processes, self.works = Signing(), Works()

    @asynccontextmanager
    async def dispatcher(self, *, lease_seconds: float = 0.03) -> AsyncIterator[Dispatcher]:
        made = Dispatcher(
            queue=self.queue,
            servers=cast(ServerRegistry, self.registry),
            health=cast(ServerHealth, NoHealth()),
            processes=self.processes,
            events=self.events,
            runner=cast(Runner, self.works),
            lease_seconds=lease_seconds,
            rescue_seconds=0.01,
            grace_seconds=0.05,
        )
        running = asyncio.create_task(made.run())
        try:
            yield made
        finally:
            made.stop()
            await asyncio.wait_for(running, 5)
