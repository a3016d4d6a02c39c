"""What was done and when, for whoever has to find out why it went wrong."""

import threading
import time


class Timeline:
    """Lines with seconds since the beginning."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.began = time.monotonic()
        self._lines: list[str] = []
        self._lock = threading.Lock()
        self.aloud = False

    @property
    def now(self) -> float:
        return time.monotonic() - self.began

    def note(self, what: str) -> None:
        line = f"{self.now:7.2f}  {what}"
        with self._lock:
            self._lines.append(line)
        if self.aloud:
            print(line, flush=True)

    def __str__(self) -> str:
        return "\n".join([f"seed {self.seed}", *self._lines])
