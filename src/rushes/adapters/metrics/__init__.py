"""Prometheus: the only importer of prometheus_client."""

from rushes.adapters.metrics.labels import TypeNames
from rushes.adapters.metrics.page import PrometheusPage, metrics_port
from rushes.adapters.metrics.process import PrometheusMetrics

__all__ = ["PrometheusMetrics", "PrometheusPage", "TypeNames", "metrics_port"]
