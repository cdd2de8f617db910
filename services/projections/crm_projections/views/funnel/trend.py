"""Conversion by the date of entry: what became of each day's entries to one stage."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from crm_projections.facts.instants import day_date
from crm_projections.facts.statistics import ratio
from crm_projections.views.funnel.stages import StageRow


@dataclass(slots=True)
class Trend:
    """Entries to a stage by local day, and those that went forward before the next entry.

    An entry counts for itself: a unit that enters three times and goes on twice converts twice of
    three, though as a unit it converts once of once.
    """

    stage: StageRow
    entered: Counter[int] = field(default_factory=Counter)
    forward: Counter[int] = field(default_factory=Counter)

    def rows(self, days: Iterable[int]) -> list[Mapping[str, Any]]:
        """A row for each of these days that had an entry."""
        return [
            {
                "date": day_date(day).isoformat(),
                "stage": self.stage.name,
                "rank": self.stage.rank,
                "entered": self.entered[day],
                "left_forward": self.forward[day],
                "step_conversion": ratio(self.forward[day], self.entered[day]),
            }
            for day in sorted(days)
            if self.entered[day]
        ]
