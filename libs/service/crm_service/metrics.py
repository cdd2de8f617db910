"""Prometheus series of the HTTP edge; labels are bounded by the routes and the problem registry."""

from __future__ import annotations

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
)

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def new_registry() -> CollectorRegistry:
    """A registry of this process's own series; parts of the service add theirs to it."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    PlatformCollector(registry=registry)
    GCCollector(registry=registry)
    return registry


class HttpMetrics:
    """What requests did: how long they took by route and status, and which problems they met."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self._duration = Histogram(
            "crm_http_request_duration_seconds",
            "Time from the first byte of a request to the end of its answer.",
            ("method", "route", "status"),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._problems = Counter(
            "crm_http_problems_total", "Answers that were problems.", ("slug",), registry=registry
        )
        self.in_flight = Gauge(
            "crm_http_requests_in_flight", "Requests being answered now.", registry=registry
        )

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answer; `route` is a template, never a path."""
        known = method if method in _METHODS else "OTHER"
        self._duration.labels(known, route, status).observe(seconds)

    def refused(self, slug: str) -> None:
        """Count one problem, by a slug of the registry."""
        self._problems.labels(slug).inc()
