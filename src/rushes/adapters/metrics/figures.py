"""The installation as the database sees it, as gauges. Every API process shows the same ones: use max() over them."""

from collections.abc import Callable, Iterable, Iterator

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from rushes.adapters.metrics.labels import TypeNames
from rushes.ports import Figures, LineFigures, ServerFigures

_OF_SERVERS: dict[str, tuple[str, Callable[[ServerFigures], float | None]]] = {
    "rushes_server_enabled": ("1 where the server is in use", lambda one: one.enabled),
    "rushes_server_up": ("1 where the server answers", lambda one: one.up),
    "rushes_server_draining": ("1 where the server finishes what it has", lambda one: one.draining),
    "rushes_server_breaker_open": (
        "1 where the server rests after lost attempts",
        lambda one: one.breaker_open,
    ),
    "rushes_server_slots": ("How many jobs the server runs at a time", lambda one: one.slots),
    "rushes_server_jobs": ("Jobs the server has now, the prefetched one included", lambda one: one.jobs),
    "rushes_server_vram_free_bytes": (
        "Free memory of its devices when it last answered",
        lambda one: one.vram_free,
    ),
}


class FiguresCollector(Collector):
    """Shows what it was given last; before that, and while the database is away, nothing but that."""

    def __init__(
        self,
        *,
        version: str,
        types: TypeNames,
        feed_clients: Callable[[], int],
        storage_free: Callable[[], int | None],
    ) -> None:
        self._version = version
        self._type = types
        self._feed_clients = feed_clients
        self._storage_free = storage_free
        self.figures: Figures | None = None

    def collect(self) -> Iterator[Metric]:
        build = GaugeMetricFamily("rushes_build_info", "1, with the version", labels=["version"])
        build.add_metric([self._version], 1)
        yield build
        yield _gauge("rushes_feed_clients", "Live feeds that are open here", self._feed_clients())
        yield _gauge("rushes_storage_free_bytes", "Free space where files are kept", self._storage_free())
        up = self.figures is not None
        yield _gauge("rushes_database_up", "1 where the database answers; else its figures are left out", up)
        yield from self._lines(self.figures or Figures())
        yield from _servers(self.figures or Figures())
        yield from _rest(self.figures or Figures(), up)

    def _lines(self, figures: Figures) -> Iterator[Metric]:
        lines = list(self._merged(figures.lines))
        jobs = GaugeMetricFamily(
            "rushes_jobs", "Jobs that wait (pending) or run (processing)", labels=["status", "workflow_type"]
        )
        held = GaugeMetricFamily(
            "rushes_jobs_held",
            "Of the jobs that wait, those whose waiting_reason says why; of each kind it is written to the first 100",
            labels=["workflow_type"],
        )
        oldest = GaugeMetricFamily(
            "rushes_jobs_oldest_waiting_seconds",
            "For how long the oldest waiting job has waited",
            labels=["workflow_type"],
        )
        for line in lines:
            jobs.add_metric(["pending", line.workflow_type], line.waiting)
            jobs.add_metric(["processing", line.workflow_type], line.running)
            held.add_metric([line.workflow_type], line.held)
            oldest.add_metric([line.workflow_type], line.oldest_seconds)
        paused = GaugeMetricFamily(
            "rushes_queue_paused",
            "1 for what an administrator paused; * is all types",
            labels=["workflow_type"],
        )
        for name in sorted({name if name == "*" else self._type(name) for name in figures.paused}):
            paused.add_metric([name], 1)
        yield from (jobs, held, oldest, paused)

    def _merged(self, lines: Iterable[LineFigures]) -> Iterable[LineFigures]:
        """By label; every known type is there, if only as 0, so that a gauge goes down and not away."""
        merged = {name: LineFigures(workflow_type=name) for name in sorted(self._type.known())}
        for line in lines:
            name = self._type(line.workflow_type)
            before = merged.get(name, LineFigures(workflow_type=name))
            merged[name] = LineFigures(
                workflow_type=name,
                waiting=before.waiting + line.waiting,
                held=before.held + line.held,
                running=before.running + line.running,
                oldest_seconds=max(before.oldest_seconds, line.oldest_seconds),
            )
        return merged.values()


def _servers(figures: Figures) -> Iterator[Metric]:
    for name, (says, value) in _OF_SERVERS.items():
        family = GaugeMetricFamily(name, says, labels=["server"])
        for one in figures.servers:
            shown = value(one)
            if shown is not None:
                family.add_metric([one.url], float(shown))
        yield family


def _rest(figures: Figures, up: bool) -> Iterator[Metric]:
    for name, says, value in (
        ("rushes_dispatchers", "Dispatchers that live", figures.dispatchers),
        ("rushes_leases_overdue", "Running jobs whose dispatcher is silent", figures.leases_overdue),
        ("rushes_outbox_entries", "Deletes that must reach the storage", figures.outbox_entries),
        ("rushes_outbox_oldest_seconds", "Age of the oldest of them", figures.outbox_oldest_seconds),
        (
            "rushes_outbox_failing",
            "Those of them that the storage has refused at least once",
            figures.outbox_failing,
        ),
    ):
        yield _gauge(name, says, value if up else None)


def _gauge(name: str, says: str, value: float | None) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, says)
    if value is not None:
        family.add_metric([], float(value))
    return family
