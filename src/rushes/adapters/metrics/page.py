"""The text that Prometheus reads."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import structlog
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest, start_http_server

from rushes.adapters.metrics.figures import FiguresCollector
from rushes.adapters.metrics.labels import TypeNames
from rushes.adapters.metrics.process import PrometheusMetrics
from rushes.domain.errors import InvalidSetting, Unavailable
from rushes.ports import Exposition, FigureStore

log = structlog.get_logger("rushes.metrics")

FRESH_SECONDS = 5.0
SHARE = 20  # figures are kept at least so many times as long as it took to read them
PATIENCE = 4.0  # seconds; a scrape gives up after 10


class PrometheusPage:
    """The port MetricsPage. Figures of the database are read at a scrape, and kept for 5 s or more."""

    def __init__(
        self,
        *,
        metrics: PrometheusMetrics,
        types: TypeNames,
        store: FigureStore,
        version: str,
        feed_clients: Callable[[], int],
        storage_free: Callable[[], int | None],
    ) -> None:
        self._registry = metrics.registry
        self._store = store
        self._collector = FiguresCollector(
            version=version, types=types, feed_clients=feed_clients, storage_free=storage_free
        )
        self._registry.register(self._collector)
        self._fresh_until = float("-inf")
        self._reading = asyncio.Lock()

    async def exposition(self) -> Exposition:
        async with self._reading:
            if time.monotonic() >= self._fresh_until:
                await self._read()
        return Exposition(generate_latest(self._registry), CONTENT_TYPE_LATEST)

    async def _read(self) -> None:
        began = time.monotonic()
        try:
            async with asyncio.timeout(PATIENCE):
                self._collector.figures = await self._store.figures()
        except (Unavailable, TimeoutError) as error:
            self._collector.figures = None
            log.warning("no figures of the database", error=str(error) or "it takes too long")
        now = time.monotonic()
        self._fresh_until = now + max(FRESH_SECONDS, SHARE * (now - began))


@contextmanager
def metrics_port(metrics: PrometheusMetrics, *, host: str, port: int) -> Iterator[int]:
    """Serve what happens in this process on a port of its own; 0 takes a free one. Raises InvalidSetting."""
    try:
        server, thread = start_http_server(port, host, registry=metrics.registry)
    except OSError as error:
        raise InvalidSetting(
            f"Port {port} of {host} can't be used for metrics ({error.strerror}). Choose another with --metrics-port."
        ) from None
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
