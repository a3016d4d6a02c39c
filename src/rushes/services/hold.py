"""A claim while a runner works on it, and the signals that reach it from outside."""

import asyncio
import math
import time
from contextlib import suppress
from datetime import datetime
from uuid import UUID

from rushes.ports import Claim


class LeaseLost(Exception):
    """Somebody else holds the job now: nothing about it may be written any more."""


class CancelRequested(Exception):
    """The owner asked for a cancel."""


class DeadlinePassed(Exception):
    """The job ran past its deadline."""


class Stopping(Exception):
    """This dispatcher stops: the job is handed back as it stands."""


class Hold:
    """The signals about one claim; `check` raises the most important one."""

    def __init__(self, claim: Claim, *, lease_seconds: float = math.inf) -> None:
        self.claim = claim
        self._lease_seconds = lease_seconds
        self.renewed(time.monotonic())
        self.lost = False
        self.cancel_requested = claim.cancel_requested
        self.cancel_sent = False
        self.stopping = False
        self.only_waited = False  # ComfyUI had it in its queue and was never seen to work on it
        self._changed = asyncio.Event()
        self._sent = asyncio.Event()
        self._ahead: asyncio.Event | None = None

    def follow(self, ahead: "Hold") -> None:
        """That one was claimed for the same server just before: its prompt goes first."""
        self._ahead = ahead._sent

    def sent(self) -> None:
        """Its prompt is on the server, or never will be: whoever follows may go."""
        self._sent.set()

    async def turn(self, seconds: float) -> None:
        """Wait for the one ahead, but not for long: a server must not stand idle for somebody's upload."""
        if self._ahead is not None:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._ahead.wait(), seconds)
            self._ahead = None

    @property
    def job_id(self) -> UUID:
        return self.claim.job_id

    def renewed(self, asked_at: float) -> None:
        """The lease is ours for its whole length from then on (monotonic)."""
        self._ours_until = asked_at + self._lease_seconds

    def lose(self) -> None:
        self.lost = True
        self._changed.set()

    def cancel(self) -> None:
        if not self.cancel_requested:
            self.cancel_requested = True
            self._changed.set()

    def stop(self) -> None:
        self.stopping = True
        self._changed.set()

    def check(self, now: datetime) -> None:
        """Raise LeaseLost, CancelRequested (once), DeadlinePassed or Stopping."""
        self._changed.clear()
        if self.lost or time.monotonic() > self._ours_until:  # a process that was paused notices by itself
            raise LeaseLost
        if self.cancel_requested and not self.cancel_sent:
            raise CancelRequested
        if self.claim.deadline_at and now >= self.claim.deadline_at:
            raise DeadlinePassed
        if self.stopping:
            raise Stopping

    async def changed(self) -> None:
        """Wait until a signal comes."""
        await self._changed.wait()
