"""The prompts that wait and run: a heap by number, and the history they end in."""

import heapq
import itertools
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from rushes.testing.comfyui.history import History

_SECRETS = ("auth_token_comfy_org", "api_key_comfy_org")


@dataclass(frozen=True)
class Item:
    """One queued prompt."""

    number: float
    prompt_id: str
    prompt: dict[str, Any]
    extra_data: dict[str, Any]
    outputs: list[str]

    def __lt__(self, other: "Item") -> bool:
        return (self.number, self.prompt_id) < (other.number, other.prompt_id)

    def listed(self) -> list[Any]:
        """As /queue and /history show it, without secrets."""
        shown = {key: value for key, value in self.extra_data.items() if key not in _SECRETS}
        return [self.number, self.prompt_id, self.prompt, shown, self.outputs]


class Queue:
    """Thread-safe; `changed` is called after every change of its length."""

    def __init__(self, history: History, changed: Callable[[], None]) -> None:
        self._lock = threading.Condition()
        self._pending: list[Item] = []
        self._running: dict[int, Item] = {}
        self._tickets = itertools.count()
        self._numbers = itertools.count()
        self._history = history
        self._changed = changed
        self._closed = False

    def next_number(self) -> int:
        """The automatic number, from 0 at each start."""
        return next(self._numbers)

    def remaining(self) -> int:
        """Running and pending."""
        with self._lock:
            return len(self._pending) + len(self._running)

    def put(self, item: Item) -> bool:
        """Queue an item; False when its id and number equal a pending one's (the real server answers 500 then)."""
        with self._lock:
            twin = any(one.number == item.number and one.prompt_id == item.prompt_id for one in self._pending)
            heapq.heappush(self._pending, item)
            self._lock.notify()
        self._changed()
        return not twin

    def get(self) -> tuple[int, Item] | None:
        """Wait for the next item and mark it running; None when the queue was closed."""
        with self._lock:
            self._lock.wait_for(lambda: self._pending or self._closed)
            if self._closed:
                return None
            item = heapq.heappop(self._pending)
            ticket = next(self._tickets)
            self._running[ticket] = item
        self._changed()
        return ticket, item

    def done(self, ticket: int, entry: dict[str, Any]) -> None:
        """The item ended: it leaves the running ones and enters the history."""
        with self._lock:
            item = self._running.pop(ticket)
            self._history.add(item.prompt_id, {"prompt": item.listed(), **entry})
        self._changed()

    def snapshot(self) -> tuple[list[Item], list[Item]]:
        """Running and pending, the latter in heap order, not sorted."""
        with self._lock:
            return list(self._running.values()), list(self._pending)

    def is_running(self, prompt_id: str) -> bool:
        """Whether that prompt is the one being executed."""
        with self._lock:
            return any(item.prompt_id == prompt_id for item in self._running.values())

    def delete(self, prompt_id: str) -> bool:
        """Drop one pending item of that id without a trace; the running one is not touched."""
        with self._lock:
            for index, item in enumerate(self._pending):
                if item.prompt_id == prompt_id:
                    del self._pending[index]
                    heapq.heapify(self._pending)
                    break
            else:
                return False
        self._changed()
        return True

    def clear(self) -> None:
        """Drop everything pending."""
        with self._lock:
            self._pending.clear()
        self._changed()

    def close(self) -> None:
        """Let the worker go."""
        with self._lock:
            self._closed = True
            self._lock.notify_all()
