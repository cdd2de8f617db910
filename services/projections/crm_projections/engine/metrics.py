"""Prometheus series of the views; labels are bounded by views, contexts and partitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from crm_events.feed.port import Lane
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_AGES: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0, 600.0)


class ViewMetrics:
    """How far views lag, how fresh they are, and what is wrong with them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._lag = Gauge(
            "crm_view_lag_events",
            "Records or positions of a lane that a view has not taken yet.",
            ("view", "context", "partition"),
            registry=registry,
        )
        self._freshness = Histogram(
            "crm_view_freshness_seconds",
            "From the recording of the oldest event of a batch to its commit in the view.",
            ("view",),
            buckets=_AGES,
            registry=registry,
        )
        self._parked = Gauge(
            "crm_view_parked_events", "Events parked now.", ("view",), registry=registry
        )
        self._stopped = Gauge(
            "crm_view_stopped", "1 while a view takes nothing more.", ("view",), registry=registry
        )
        self._fenced = Counter(
            "crm_view_cas_failures_total",
            "Batches dropped because another process had moved the lane.",
            ("view",),
            registry=registry,
        )
        self._gaps = Counter(
            "crm_view_gaps_total", "Times an event was missing.", ("view",), registry=registry
        )

    def lag(self, view: str, lags: Mapping[Lane, int]) -> None:
        for lane, events in lags.items():
            self._lag.labels(view, lane.context, lane.partition).set(events)

    def fresh(self, view: str, seconds: float) -> None:
        self._freshness.labels(view).observe(seconds)

    def parked(self, view: str, events: int) -> None:
        self._parked.labels(view).set(events)

    def stopped(self, view: str, is_stopped: bool) -> None:
        self._stopped.labels(view).set(int(is_stopped))

    def fenced(self, view: str) -> None:
        self._fenced.labels(view).inc()

    def gap(self, view: str) -> None:
        self._gaps.labels(view).inc()
