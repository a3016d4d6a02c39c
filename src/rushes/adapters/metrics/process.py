"""What happens in this process, counted from its start."""

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector

from rushes.adapters.metrics.labels import TypeNames, method_label

# a third more series that nothing asks for
disable_created_metrics()  # type: ignore[no-untyped-call]  # the library gives it no types

_WAIT = (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600)
_RUN = (0.1, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 1800, 3600)
_STORING = (0.02, 0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60)
_CLAIM = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5)
_ANSWER = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class PrometheusMetrics:
    """The port Metrics, in a registry of its own: two installations in one process don't mix."""

    def __init__(self, *, types: TypeNames) -> None:
        self.registry = registry = CollectorRegistry()
        self._type = types
        for collector in (ProcessCollector, PlatformCollector, GCCollector):
            collector(registry=registry)
        self._submitted = Counter(
            "rushes_jobs_submitted", "Jobs that were accepted", ["workflow_type"], registry=registry
        )
        self._attempts = Counter(
            "rushes_attempts",
            "Attempts that ended: outcome completed, failed, cancelled (with these the job ended, too), retried, "
            "released (handed back by a dispatcher that stops) or late (another dispatcher held it by then)",
            ["workflow_type", "outcome", "error_code", "server"],
            registry=registry,
        )
        self._expired = Counter(
            "rushes_jobs_expired",
            "Jobs that failed because their deadline passed while they waited",
            registry=registry,
        )
        self._taken_over = Counter(
            "rushes_jobs_taken_over",
            "Jobs taken over from a dispatcher that died, stopped or stood still",
            ["workflow_type", "server"],
            registry=registry,
        )
        self._wait = Histogram(
            "rushes_job_wait_seconds",
            "From being submitted to the first claim",
            ["workflow_type"],
            buckets=_WAIT,
            registry=registry,
        )
        self._run = Histogram(
            "rushes_job_run_seconds",
            "From the claim (or take-over) that completed a job to completed, its results stored",
            ["workflow_type"],
            buckets=_RUN,
            registry=registry,
        )
        self._total = Histogram(
            "rushes_job_total_seconds",
            "From being submitted to completed, all attempts and waiting included",
            ["workflow_type"],
            buckets=_WAIT,
            registry=registry,
        )
        self._storing = Histogram(
            "rushes_storing_seconds",
            "From ComfyUI's end to all results of a job in storage",
            buckets=_STORING,
            registry=registry,
        )
        self._stored_bytes = Counter(
            "rushes_stored_bytes", "Bytes of results that were stored", registry=registry
        )
        self._claim = Histogram(
            "rushes_claim_seconds",
            "What the database took to look for a job; found is yes or no",
            ["found"],
            buckets=_CLAIM,
            registry=registry,
        )
        self._upload_bytes = Counter("rushes_upload_bytes", "Bytes that people uploaded", registry=registry)
        self._requests = Counter(
            "rushes_http_requests",
            "Requests, by the template of their route (unmatched: none)",
            ["method", "route", "status"],
            registry=registry,
        )
        self._answers = Histogram(
            "rushes_http_request_seconds",
            "Time to the first byte of the answer; a stream's or a download's length doesn't count",
            ["method", "route"],
            buckets=_ANSWER,
            registry=registry,
        )

    def submitted(self, workflow_type: str) -> None:
        self._submitted.labels(self._type(workflow_type)).inc()

    def looked_for_a_job(self, seconds: float, *, found: bool) -> None:
        self._claim.labels("yes" if found else "no").observe(seconds)

    def waited(self, workflow_type: str, seconds: float) -> None:
        self._wait.labels(self._type(workflow_type)).observe(seconds)

    def taken_over(self, workflow_type: str, server: str) -> None:
        self._taken_over.labels(self._type(workflow_type), server).inc()

    def attempt_ended(self, workflow_type: str, *, outcome: str, error_code: str, server: str) -> None:
        self._attempts.labels(self._type(workflow_type), outcome, error_code, server).inc()

    def completed(self, workflow_type: str, *, ran: float | None, total: float | None) -> None:
        name = self._type(workflow_type)
        if ran is not None:
            self._run.labels(name).observe(ran)
        if total is not None:
            self._total.labels(name).observe(total)

    def stored(self, *, size_bytes: int, seconds: float | None) -> None:
        self._stored_bytes.inc(size_bytes)
        if seconds is not None:
            self._storing.observe(seconds)

    def expired(self, jobs: int) -> None:
        self._expired.inc(jobs)

    def uploaded(self, size_bytes: int) -> None:
        self._upload_bytes.inc(size_bytes)

    def answered(self, *, method: str, route: str, status: int, seconds: float) -> None:
        name = method_label(method)
        self._requests.labels(name, route, str(status)).inc()
        self._answers.labels(name, route).observe(seconds)
