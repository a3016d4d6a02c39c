"""A bounded buffer of events: it takes everything at once and lets progress go first."""

import asyncio
from collections import deque
from collections.abc import Callable

from rushes.ports import ComfyEvent

ROOM = 512
# Each of these tells the whole state anew, so that an older one still waiting says nothing more.
SUPERSEDED = frozenset({"status", "progress", "progress_state"})


class EventBuffer:
    """Put never waits; take waits for the next event or the end."""

    def __init__(self, room: int = ROOM) -> None:
        self._room = room
        self._events: deque[ComfyEvent | None] = deque()  # None: the end
        self._ready = asyncio.Event()

    def put(self, event: ComfyEvent) -> None:
        """Add an event; it replaces a waiting one that it supersedes, and progress goes when there's no room."""
        if event.type in SUPERSEDED:
            self._drop(lambda old: old.type == event.type and old.prompt_id == event.prompt_id)
        if len(self._events) >= self._room and not self._drop(lambda old: old.type in SUPERSEDED):
            self._events.popleft()
        self._add(event)

    def end(self) -> None:
        """Tell the one who takes, once, that no more will come."""
        self._add(None)

    def at_hand(self) -> ComfyEvent | None:
        """The next event, if there is one."""
        return self._taken() if self._events and self._events[0] is not None else None

    async def take(self, seconds: float) -> ComfyEvent | None:
        """The next event; None after that time, or when the end is reached.

        The end is told once: later calls wait their time, so that a caller's loop doesn't spin.
        """
        try:
            async with asyncio.timeout(seconds):
                await self._ready.wait()
        except TimeoutError:
            return None
        return self._taken()

    def _taken(self) -> ComfyEvent | None:
        event = self._events.popleft()
        if not self._events:
            self._ready.clear()
        return event

    def _add(self, event: ComfyEvent | None) -> None:
        self._events.append(event)
        self._ready.set()

    def _drop(self, unwanted: Callable[[ComfyEvent], bool]) -> bool:
        for place, event in enumerate(self._events):
            if event is not None and unwanted(event):
                del self._events[place]
                return True
        return False
