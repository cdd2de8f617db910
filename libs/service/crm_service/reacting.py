"""Prometheus series of a context's reactions: how many, and which lanes stand still."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crm_events.feed.reactor import Reactor
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class ReactionSeries(Collector):
    """Read from the reactor when they are asked for; nothing before there is one."""

    def __init__(self, context: str, reactor: Callable[[], Reactor | None]) -> None:
        self._context = context
        self._reactor = reactor

    def collect(self) -> Iterator[Metric]:
        reactor = self._reactor()
        if reactor is None:
            return
        yield self._gauge("held_lanes", "Lanes at an event that failed.", len(reactor.held))
        yield self._gauge("gap_lanes", "Lanes in which an event is missing.", len(reactor.gaps))
        yield self._counter("reacted", "Events reacted to, saved.", reactor.reacted)
        yield self._counter("no_effect", "Reactions refused.", reactor.without_effect)

    def _gauge(self, name: str, text: str, value: int) -> Metric:
        family = GaugeMetricFamily(f"crm_reactions_{name}", text, labels=["context"])
        family.add_metric([self._context], value)
        return family

    def _counter(self, name: str, text: str, value: int) -> Metric:
        family = CounterMetricFamily(f"crm_reactions_{name}", text, labels=["context"])
        family.add_metric([self._context], value)
        return family
