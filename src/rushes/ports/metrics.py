"""What is measured, and what the installation looks like at the moment somebody looks."""

from dataclasses import dataclass
from typing import Protocol


class Metrics(Protocol):
    """Takes down what happens in this process. Seconds and bytes; nothing here may fail or wait."""

    def submitted(self, workflow_type: str) -> None: ...

    def looked_for_a_job(self, seconds: float, *, found: bool) -> None:
        """A claim was tried: how long the database took."""

    def waited(self, workflow_type: str, seconds: float) -> None:
        """From being submitted to the first claim."""

    def taken_over(self, workflow_type: str, server: str) -> None: ...

    def attempt_ended(self, workflow_type: str, *, outcome: str, error_code: str, server: str) -> None:
        """`outcome`: completed, failed, cancelled, retried, released, or late (somebody else held it by then)."""

    def completed(self, workflow_type: str, *, ran: float | None, total: float | None) -> None:
        """From the claim that completed it, and from being submitted, to completed."""

    def stored(self, *, size_bytes: int, seconds: float | None) -> None:
        """The results of one job, from ComfyUI's end to the last byte in storage."""

    def expired(self, jobs: int) -> None:
        """Waiting jobs whose deadline passed."""

    def uploaded(self, size_bytes: int) -> None: ...

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """A request, by the template of its route, and the time to the first byte of its answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineFigures:
    """The jobs of one type that wait or run."""

    workflow_type: str
    waiting: int = 0
    held: int = 0  # of those that wait: a reason why is known
    running: int = 0
    oldest_seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFigures:
    """One ComfyUI server."""

    url: str
    enabled: bool
    up: bool
    draining: bool
    breaker_open: bool
    slots: int
    jobs: int
    vram_free: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What the database says of the installation."""

    lines: tuple[LineFigures, ...] = ()
    servers: tuple[ServerFigures, ...] = ()
    paused: tuple[str, ...] = ()  # workflow types; `*` is all
    dispatchers: int = 0
    leases_overdue: int = 0
    outbox_entries: int = 0
    outbox_oldest_seconds: float = 0.0
    outbox_failing: int = 0


class FigureStore(Protocol):
    async def figures(self) -> Figures:
        """Raises Unavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Exposition:
    """All metrics as text, and the text's content type."""

    body: bytes
    content_type: str


class MetricsPage(Protocol):
    async def exposition(self) -> Exposition:
        """Never fails: without a database it says so, and the rest."""
        ...
