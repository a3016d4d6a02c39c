"""The dispatcher: one lane for each server, leases kept alive, dead dispatchers' jobs taken over."""

import asyncio
import os
import socket
import time
import uuid
from collections.abc import Awaitable, Callable
from contextlib import suppress
from uuid import UUID

import structlog

from rushes.domain.errors import Unavailable
from rushes.ports import Claim, DispatchQueue, JobEvents, Processes, Server, ServerRegistry
from rushes.services.ending import ended
from rushes.services.hold import Hold
from rushes.services.lane import Lane
from rushes.services.runner import Runner
from rushes.services.server_health import ServerHealth

log = structlog.get_logger("rushes.dispatcher")

HAND_BACK = 10.0  # seconds that jobs have to come to a point at which they can be handed back
RESCUES = 50  # jobs that are taken over in one statement
LOOK_SECONDS = 1.0  # a hint may have been lost, and a retry comes due without one
FEW_LANES = 3  # that are woken without asking first


class Dispatcher:
    """Runs until `stop`; then hands back what it holds, so that nothing is lost or waits for a lease."""

    def __init__(
        self,
        *,
        queue: DispatchQueue,
        servers: ServerRegistry,
        health: ServerHealth,
        processes: Processes,
        events: JobEvents,
        runner: Runner,
        lease_seconds: float = 30.0,
        rescue_seconds: float = 2.0,
        grace_seconds: float = 2.0,
    ) -> None:
        self.id = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._queue = queue
        self._servers = servers
        self._health = health
        self._processes = processes
        self._events = events
        self._runner = runner
        self._lease_seconds = lease_seconds
        self._rescue_seconds = rescue_seconds
        self._grace_seconds = grace_seconds
        self._holds: dict[UUID, Hold] = {}
        self._lanes: dict[UUID, Lane] = {}
        self._looping: set[UUID] = set()
        self._lane_tasks: list[asyncio.Task[None]] = []
        self._stopping = asyncio.Event()

    @property
    def busy(self) -> int:
        """How many jobs it holds."""
        return len(self._holds)

    def stop(self) -> None:
        """Stop claiming and hand back; `run` returns soon after."""
        self._stopping.set()

    async def run(self) -> None:
        """Work until `stop` is called."""
        log.info("dispatcher starts", dispatcher=self.id)
        loops = [
            asyncio.create_task(self._every(self._lease_seconds / 3, self._renew), name="renew"),
            asyncio.create_task(self._every(self._rescue_seconds, self._rescue), name="rescue"),
            asyncio.create_task(self._every(0.0, self._watch_servers), name="servers"),
            asyncio.create_task(self._every(1.0, self._look_for_cancels), name="cancels"),
            asyncio.create_task(self._every(5.0, self._alive), name="alive"),
            asyncio.create_task(self._every(1.0, self._heed_signals), name="signals"),
            asyncio.create_task(self._every(LOOK_SECONDS, self._wake_lanes), name="wake"),
        ]
        try:
            await self._stopping.wait()
        finally:
            await self._hand_back(loops)
            log.info("dispatcher stopped", dispatcher=self.id)

    async def _hand_back(self, loops: list[asyncio.Task[None]]) -> None:
        self._stopping.set()
        for lane in self._lanes.values():
            lane.wake()
        if self._lane_tasks:  # a claim that is just being made is handed back too
            await asyncio.wait(self._lane_tasks, timeout=self._grace_seconds)
        if self._holds:
            await self._finished(self._grace_seconds)
        for hold in self._holds.values():
            hold.stop()
        await self._finished(min(HAND_BACK, self._lease_seconds))
        for hold in self._holds.values():  # in the middle of a long transfer
            await self._release(hold)
        await ended(*loops, *self._lane_tasks)
        try:
            await self._processes.gone(self.id)
        except Unavailable:
            log.warning("could not sign off", dispatcher=self.id)

    async def _release(self, hold: Hold) -> None:
        try:
            await self._queue.release(hold.claim)
        except Unavailable:
            log.warning("could not hand back", job_id=str(hold.job_id))

    async def _finished(self, seconds: float) -> None:
        """Wait until nothing is in hand, so long at most."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                for lane in self._lanes.values():
                    await lane.finish()

    async def _every(self, seconds: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Unavailable as error:
                log.warning("database is away", error=error.message)
                await asyncio.sleep(min(seconds, 1.0) or 1.0)  # leases may be running out
                continue
            except Exception:
                # One broken round must not end a loop that every job depends on.
                log.exception("dispatcher loop broke")
                await asyncio.sleep(1.0)
            await asyncio.sleep(seconds)

    async def _alive(self) -> None:
        await self._processes.alive(self.id)

    async def _renew(self) -> None:
        holds = dict(self._holds)
        if not holds:
            return
        asked_at = time.monotonic()
        answers = await self._queue.renew(
            [hold.claim for hold in holds.values()], lease_seconds=self._lease_seconds
        )
        for job_id, hold in holds.items():
            if job_id not in answers:
                if self._holds.get(job_id) is hold:
                    hold.lose()
                continue
            hold.renewed(asked_at)
            if answers[job_id]:
                hold.cancel()

    async def _rescue(self) -> None:
        if self._stopping.is_set():
            return
        while claims := await self._queue.rescue(
            owner=self.id, lease_seconds=self._lease_seconds, limit=RESCUES
        ):
            for claim in claims:
                if stale := self._holds.get(claim.job_id):
                    stale.lose()  # our own lease ran out while we were away
                self._lane_of(claim).take(claim)
                if self._stopping.is_set():
                    self._holds[claim.job_id].stop()
            if len(claims) < RESCUES:
                return

    def _lane_of(self, claim: Claim) -> Lane:
        """The lane of a claim's server; one that claims nothing where the server is no longer in use."""
        lane = self._lanes.get(claim.server_id)
        if lane is None:
            server = Server(id=claim.server_id, url=claim.server_url, name=claim.server_url, enabled=False)
            lane = self._lanes[claim.server_id] = self._lane_for(server)
        return lane

    async def _watch_servers(self) -> None:
        await self._look_at_servers()
        if await self._health.stirred(1.0):
            for lane in self._lanes.values():
                lane.wake()

    async def _look_at_servers(self) -> None:
        """Read the registry, keep a lane for each server, wake those that came up."""
        for server in await self._servers.list():
            if not server.enabled and server.id not in self._lanes:
                continue
            self._health.watch(server)
            lane = self._lanes.get(server.id)
            if lane is None:
                lane = self._lanes[server.id] = self._lane_for(server)
            if server.enabled and server.id not in self._looping:
                self._open_lane(server.id, lane)
            came_up = lane.server.state != "up" and server.state == "up"
            lane.server = server
            if came_up:
                lane.wake()
        await self._health.check_due()

    def _lane_for(self, server: Server) -> Lane:
        return Lane(
            server=server,
            queue=self._queue,
            runner=self._runner,
            owner=self.id,
            lease_seconds=self._lease_seconds,
            holds=self._holds,
        )

    def _open_lane(self, server_id: UUID, lane: Lane) -> None:
        self._looping.add(server_id)
        task = asyncio.create_task(lane.loop(self._stopping.is_set), name=f"lane {lane.server.url}")
        self._lane_tasks.append(task)

    async def _heed_signals(self) -> None:
        async for signal in self._events.listen("jobs", "cancel"):
            if signal.kind == "cancel":
                self._cancel(signal.payload)
            else:
                await self._wake_lanes()

    async def _wake_lanes(self) -> None:
        """Let them look for work, if there is any: a thousand idle lanes must not ask a thousand times."""
        if len(self._lanes) <= FEW_LANES or await self._queue.some_wait():
            for lane in self._lanes.values():
                lane.wake()

    async def _look_for_cancels(self) -> None:
        """The hint may have been lost, or never come: a transaction pooler delivers none."""
        claims = [hold.claim for hold in self._holds.values() if not hold.cancel_requested]
        for job_id in await self._queue.cancels_asked(claims) if claims else []:
            if hold := self._holds.get(job_id):
                hold.cancel()

    def _cancel(self, payload: str) -> None:
        try:
            hold = self._holds.get(UUID(payload))
        except ValueError:
            return
        if hold:
            hold.cancel()
