"""Satisfaction's numbers as sums over tickets and surveys, to be opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import Connection

from crm_projections.columns.cut import Mask, within
from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import NOTHING, Layout
from crm_projections.columns.opening import Summed, check_known, of_group
from crm_projections.engine.evidence import Figure, UnknownFigure
from crm_projections.facts.instants import local_day_and_month
from crm_projections.views.satisfaction import kept
from crm_projections.views.satisfaction.counts import DATES
from crm_projections.views.satisfaction.facts import SatisfactionTables
from crm_projections.views.satisfaction.periods import FORMS, period_number
from crm_projections.views.satisfaction.states import monday
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
    as_of: int
    zone: ZoneInfo
    inputs: ClassVar = INPUTS

    def all(self) -> Sequence[Figure]:
        return FIGURES

    def summed(self, figure: Figure) -> Summed:
        """Raises UnknownFigure."""
        check_known(figure, FIGURES)
        if figure.name == "tickets":
            tickets = kept.tickets(self.connection, self.tables)
            return self._summed(figure, kept.tickets_layout(self.tables), tickets, "opened_at")
        surveys = kept.surveys(self.connection, self.tables)
        return self._summed(figure, kept.surveys_layout(self.tables), surveys, "delivered_at")

    def _summed(self, figure: Figure, layout: Layout, columns: Columns, at: str) -> Summed:
        counts = self._of_group(columns, layout)
        counts &= within(columns[at], self.parameters.start, self.parameters.end)
        if figure.name == "responses":
            counts &= columns["score"] != NOTHING
        if figure.row is not None:
            counts &= columns["score"] == int(figure.row)
        worth, events = counts.astype(np.int64), self.tables.events
        return Summed(figure, "count", layout, columns, worth, layout.things[0], events)

    def _of_group(self, columns: Columns, layout: Layout) -> Mask:
        """Raises UnknownFigure where the key names no such group, or a time to come."""
        by, key = self.parameters.by, self.parameters.key
        if by not in DATES:
            return of_group(columns, layout, self.parameters)
        number = None if key is None else period_number(key, by)
        if number is None:
            raise UnknownFigure(f"{key!r} is no {by}; name one as {FORMS[by]}.")
        if number > self._now(by):
            raise UnknownFigure(f"There is no {by} {key} yet: it has not begun.")
        mine: Mask = columns[by] == number
        return mine

    def _now(self, by: str) -> int:
        """The week or month of the instant that is asked about."""
        day, month = local_day_and_month(self.as_of, self.zone)
        return month if by == "month" else monday(day)
