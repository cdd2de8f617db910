"""Satisfaction's numbers as sums over tickets and surveys, to be opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

import numpy as np
from sqlalchemy import Connection

from crm_projections.columns.cut import within
from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import NOTHING, Layout
from crm_projections.columns.opening import Summed, check_known, of_group
from crm_projections.engine.evidence import Figure, UnknownFigure
from crm_projections.views.satisfaction import kept
from crm_projections.views.satisfaction.facts import SatisfactionTables
from crm_projections.views.satisfaction.totals import SCALE

_SCORES: Final = ("responses", "distribution")
INPUTS: Final[Mapping[str, Sequence[str]]] = {
    "response_rate": ("responses", "surveys_delivered"),
    "survey_coverage": ("surveys_delivered", "tickets"),
    **dict.fromkeys(("mean", "top2_box", "top2_box_low", "top2_box_high", "bottom2_box"), _SCORES),
}
FIGURES: Final = (
    *(Figure(name) for name in ("tickets", "surveys_delivered", "responses")),
    *(Figure("distribution", str(score)) for score in SCALE),
)


@dataclass(frozen=True, slots=True)
class SatisfactionFigures:
    """The figures of one question, and what each row adds to them."""

    connection: Connection
    tables: SatisfactionTables
    parameters: Any
    inputs: ClassVar = INPUTS

    def all(self) -> Sequence[Figure]:
        return FIGURES

    def summed(self, figure: Figure) -> Summed:
        """Raises UnknownFigure."""
        check_known(figure, FIGURES)
        if self.parameters.by in {"week", "month"}:
            raise UnknownFigure("Name a period with from and to instead of by=week or by=month.")
        if figure.name == "tickets":
            tickets = kept.tickets(self.connection, self.tables)
            return self._summed(figure, kept.tickets_layout(self.tables), tickets, "opened_at")
        surveys = kept.surveys(self.connection, self.tables)
        return self._summed(figure, kept.surveys_layout(self.tables), surveys, "delivered_at")

    def _summed(self, figure: Figure, layout: Layout, columns: Columns, at: str) -> Summed:
        counts = of_group(columns, layout, self.parameters)
        counts &= within(columns[at], self.parameters.start, self.parameters.end)
        if figure.name == "responses":
            counts &= columns["score"] != NOTHING
        if figure.row is not None:
            counts &= columns["score"] == int(figure.row)
        worth, events = counts.astype(np.int64), self.tables.events
        return Summed(figure, "count", layout, columns, worth, layout.things[0], events)
