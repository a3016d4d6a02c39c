"""What has ended: in memory only, bounded, lost at every restart."""

import copy
import threading
from typing import Any

MOST_ENTRIES = 10_001


class History:
    """Ended prompts by id, oldest first; thread-safe."""

    def __init__(self, most: int = MOST_ENTRIES) -> None:
        self._lock = threading.Lock()
        self._entries: dict[str, dict[str, Any]] = {}
        self._most = most

    def add(self, prompt_id: str, entry: dict[str, Any]) -> None:
        """Keep an entry; an earlier one of the same id is overwritten in place, the oldest one evicted."""
        with self._lock:
            if len(self._entries) >= self._most:
                self._entries.pop(next(iter(self._entries)))
            self._entries[prompt_id] = entry

    def one(self, prompt_id: str) -> dict[str, Any]:
        """{id: entry}, or {} for an unknown id."""
        with self._lock:
            return {prompt_id: self._entries[prompt_id]} if prompt_id in self._entries else {}

    def page(self, max_items: int | None = None, offset: int = -1) -> dict[str, Any]:
        """The last `max_items`; with an offset, as many from there on, counted from the oldest."""
        with self._lock:
            names = list(self._entries)
            if offset < 0 and max_items is not None:
                offset = len(names) - max_items
            names = names[max(0, offset) :]
            return {name: copy.copy(self._entries[name]) for name in names[:max_items]}

    def delete(self, prompt_id: str) -> None:
        """Forget one."""
        with self._lock:
            self._entries.pop(prompt_id, None)

    def clear(self) -> None:
        """Forget all."""
        with self._lock:
            self._entries.clear()
