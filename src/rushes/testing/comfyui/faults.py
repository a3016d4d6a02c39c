"""What a test may make the demo server do wrong, from Python or by POST /_demo/faults."""

import asyncio
import fnmatch
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, fields
from typing import Any

KINDS = {
    "delay": "answer after `seconds`",
    "drop": "cut the connection without an answer",
    "status": "answer with `status` and `body`",
    "html": "answer with an HTML page and `status` (200)",
    "lose_answer": "do what was asked, then cut the connection instead of answering",
    "slow_body": "send the body at `bytes_per_second`",
    "truncate": "promise the whole body, send `bytes` of it, and cut the connection",
    "lie_length": "promise `bytes` more than there are, and cut the connection",
    "freeze_worker": "take no step of any prompt until the fault is cleared",
    "freeze_websocket": "deliver no event until the fault is cleared",
    "close_websocket": "cut every websocket, once",
    "exit_at_node": "die when a node of class `node` begins",
    "fail_at_node": "raise `message` when a node of class `node` begins",
    "out_of_memory": "run out of memory when a node of class `node` begins",
    "late_history": "write the history entry `seconds` after execution_success",
}
"""Every kind of fault, and what it does."""


@dataclass
class Fault:
    """One thing to do wrong. `route` and `method` are patterns (`/view`, `/api/jobs/*`); `times` None means always."""

    kind: str
    route: str = "*"
    method: str = "*"
    times: int | None = None
    seconds: float = 0.0
    status: int = 500
    body: str = "500 Internal Server Error\n\nServer got itself in trouble"
    bytes: int = 0
    bytes_per_second: int = 65536
    node: str = "*"
    message: str = "boom"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"unknown fault {self.kind!r}: choose one of {', '.join(KINDS)}")


class Faults:
    """The faults in force; thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active: list[Fault] = []

    def add(self, kind: str, **options: Any) -> Fault:
        """Put a fault in force; raises ValueError or TypeError for one that makes no sense."""
        fault = Fault(kind, **options)
        with self._lock:
            self._active.append(fault)
        return fault

    def clear(self, kind: str | None = None) -> None:
        """End all faults, or those of one kind."""
        with self._lock:
            self._active = [] if kind is None else [fault for fault in self._active if fault.kind != kind]

    def listed(self) -> list[dict[str, Any]]:
        """The faults in force."""
        with self._lock:
            return [asdict(fault) for fault in self._active]

    def take(self, *kinds: str, path: str = "", method: str = "", node: str = "") -> Fault | None:
        """The first fault of these kinds that fits; counts as one of its times."""
        with self._lock:
            for fault in self._active:
                if fault.kind in kinds and _fits(fault, path, method, node):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._active.remove(fault)
                    return fault
        return None

    def is_frozen(self, what: str) -> bool:
        """Whether the worker or the websocket stands still."""
        with self._lock:
            return any(fault.kind == f"freeze_{what}" for fault in self._active)

    async def while_frozen(self, what: str) -> None:
        """Wait until it moves again."""
        while self.is_frozen(what):  # noqa: ASYNC110 - set and cleared from other threads
            await asyncio.sleep(0.01)

    def hold_thread(self, what: str, given_up: Callable[[], bool]) -> None:
        """Wait in a thread until it moves again, or nobody waits for it any more."""
        while self.is_frozen(what) and not given_up():
            time.sleep(0.01)


def parsed(given: dict[str, Any]) -> dict[str, Any]:
    """The options of a fault as JSON gave them; raises ValueError naming what is unknown."""
    known = {each.name for each in fields(Fault)}
    unknown = sorted(set(given) - known)
    if unknown:
        raise ValueError(f"unknown option {unknown[0]!r}: a fault knows {', '.join(sorted(known))}")
    return given


def _fits(fault: Fault, path: str, method: str, node: str) -> bool:
    plain = path.removeprefix("/api")
    return (
        (fnmatch.fnmatch(plain, fault.route) or fnmatch.fnmatch(path, fault.route))
        and fnmatch.fnmatch(method.upper(), fault.method.upper())
        and fnmatch.fnmatch(node, fault.node)
    )
