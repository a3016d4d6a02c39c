"""The lane of one server: claims jobs for it while it has room, and runs them."""

import asyncio
import time
from collections.abc import Callable
from uuid import UUID

import structlog

from rushes.domain.errors import Unavailable
from rushes.ports import Claim, DispatchQueue, Server
from rushes.services.hold import Hold, LeaseLost
from rushes.services.runner import Runner

log = structlog.get_logger("rushes.lane")

SWAP_WAIT = 1.5  # seconds
RESTING = 30.0  # the dispatcher looks for work every second, and wakes the lanes when there is some
PREFETCH = 1  # one job beyond the slots: its uploads overlap the run before it


class Lane:
    """Keeps one server busy. `server` is replaced whenever the registry is read again."""

    def __init__(
        self,
        *,
        server: Server,
        queue: DispatchQueue,
        runner: Runner,
        owner: str,
        lease_seconds: float,
        holds: dict[UUID, Hold],
    ) -> None:
        self.server = server
        self._queue = queue
        self._runner = runner
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._holds = holds
        self._occupying = 0
        self._latest: Hold | None = None
        self._idle_since = float("-inf")
        self._wake = asyncio.Event()
        self._running: set[asyncio.Task[None]] = set()

    def wake(self) -> None:
        self._wake.set()

    async def loop(self, stopping: Callable[[], bool]) -> None:
        """Claim until told to stop."""
        while not stopping():
            self._wake.clear()
            try:
                while not stopping() and await self._claim_one():
                    pass
            except Unavailable as error:
                log.warning("cannot claim", server=self.server.url, error=error.message)
            except Exception:
                # One job that can't be read must not end the lane that all others wait for.
                log.exception("claim broke", server=self.server.url)
            pause = self._swap_in() if self._swap_in() > 0 else RESTING
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except TimeoutError:
                continue

    def _swap_in(self) -> float:
        """In how many seconds an idle server may swap models for a job; until then a warm one may come."""
        return self._idle_since + SWAP_WAIT - time.monotonic()

    async def _claim_one(self) -> bool:
        depth = self.server.slots + PREFETCH
        if (
            self.server.state != "up"
            or not self.server.enabled
            or self.server.draining
            or self._occupying >= depth
        ):
            return False
        claim = await self._queue.claim(
            owner=self._owner,
            server=self.server,
            depth=depth,
            cold=self._swap_in() <= 0,
            lease_seconds=self._lease_seconds,
        )
        if claim is None:
            return False
        self.take(claim)
        return True

    def take(self, claim: Claim) -> None:
        """Run a claim, new or taken over."""
        hold = Hold(claim, lease_seconds=self._lease_seconds)
        if self._latest is not None:
            hold.follow(self._latest)
        self._latest = hold
        self._holds[claim.job_id] = hold
        self._occupying += 1  # now, not when the task starts: the next claim looks at it
        task = asyncio.create_task(self._run(hold), name=f"job {claim.job_id}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _run(self, hold: Hold) -> None:
        structlog.contextvars.bind_contextvars(  # for every line of this task, whoever writes it
            job_id=str(hold.job_id), attempt=hold.claim.attempt, server=hold.claim.server_url
        )
        occupies = True

        def executed() -> None:
            nonlocal occupies
            if occupies:
                occupies = False
                self._occupying -= 1
                self._idle_since = time.monotonic()
                self.wake()

        try:
            await self._runner.run(hold, executed)
        except LeaseLost:
            log.error("job left as it stands, the database is away", job_id=str(hold.job_id))
        except Exception:
            log.exception("job left as it stands", job_id=str(hold.job_id))
        finally:
            hold.sent()
            executed()
            if self._holds.get(hold.job_id) is hold:
                del self._holds[hold.job_id]

    async def finish(self) -> None:
        """Wait for the jobs in hand."""
        while self._running:
            await asyncio.wait(self._running)
