"""How far each view lies behind its log, for metrics, readiness and the watchdog."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from crm_events.feed.port import Lane, LaneBatch

from crm_projections.engine.metrics import ViewMetrics
from crm_projections.engine.projection import Projection


class Lags:
    """What lies ahead of the feed, and what the feed has shown that a view has not taken."""

    def __init__(self, metrics: ViewMetrics) -> None:
        self._metrics = metrics
        self._shown: dict[Lane, int] = {}
        self._totals: dict[str, int] = {}

    def show(self, batches: Sequence[LaneBatch]) -> None:
        """Remember how far the feed has come in each lane."""
        for batch in batches:
            if batch.envelopes:
                newest = max(batch.envelopes[-1].sequence, self._shown.get(batch.lane, 0))
                self._shown[batch.lane] = newest

    def measure(self, ahead: Mapping[Lane, int], projections: Sequence[Projection[Any]]) -> None:
        for projection in projections:
            lags = self._of(projection, ahead)
            self._totals[projection.name] = sum(lags.values())
            self._metrics.lag(projection.name, lags)

    def total(self, view: str) -> int:
        """Over all lanes, as last measured."""
        return self._totals.get(view, 0)

    def _of(self, projection: Projection[Any], ahead: Mapping[Lane, int]) -> dict[Lane, int]:
        known = projection.known()
        lags = {lane: n for lane, n in ahead.items() if lane.context in projection.view.contexts}
        for lane in lags:
            taken = known[lane].sequence if lane in known else 0
            lags[lane] += max(self._shown.get(lane, 0) - taken, 0)
        return lags
