"""Retention's numbers as sums over orders, to be opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from crm_events.contracts.pipeline import OrderAmended, OrderPlaced
from sqlalchemy import Connection, FromClause, Table, case, exists, select

from crm_projections.columns.cut import within
from crm_projections.columns.opening import Summed, check_known
from crm_projections.engine.evidence import Figure, Unit
from crm_projections.facts.instants import Reporting
from crm_projections.views.retention.cells import CELL, SeenTogether, check_cell
from crm_projections.views.retention.orders import kept, layout

_UNITS: Final[Mapping[str, Unit]] = {"orders": "count", "active": "count", "revenue": "money"}
FIGURES: Final = (Figure("orders"), Figure("revenue"))
INPUTS: Final[Mapping[str, Sequence[str]]] = dict.fromkeys(
    ("customers", "repeat_rate", "repeat_rate_by_day", "active", "customer_retention_rate"),
    ("orders",),
)


def told(table: Table) -> FromClause:
    """The events of orders, each of which made a row; an amendment takes effect with its order."""
    before = table.alias()
    again = exists().where(before.c.unit == table.c.unit, before.c.known_from < table.c.known_from)
    return select(
        table.c.unit,
        table.c.event_id,
        case((again, OrderAmended.TYPE), else_=OrderPlaced.TYPE).label("type"),
        table.c.known_from.label("sequence"),
        table.c.valid_from.label("effective"),
    ).subquery()


@dataclass(frozen=True, slots=True)
class RetentionFigures:
    """The figures of one question, and what each row adds to them."""

    connection: Connection
    table: Table
    parameters: Any
    reporting: Reporting

    @property
    def inputs(self) -> Mapping[str, Sequence[str]]:
        return {} if self._cell else INPUTS

    def all(self) -> Sequence[Figure]:
        """Those of the cell that is named, else of the period."""
        if not self._cell:
            return FIGURES
        return [Figure(name, self.parameters.row, self.parameters.offset) for name in CELL]

    @property
    def _cell(self) -> bool:
        asked = self.parameters
        return asked.row is not None or asked.offset is not None

    def summed(self, figure: Figure) -> Summed | SeenTogether:
        """Raises UnknownFigure."""
        if figure.name == "active" or figure.row is not None or figure.offset is not None:
            check_cell(figure)
            return self._together(figure)
        check_known(figure, FIGURES)
        return self._alone(figure) if self.parameters.by is None else self._together(figure)

    def _together(self, figure: Figure) -> SeenTogether:
        unit, events = _UNITS[figure.name], told(self.table)
        return SeenTogether(figure, unit, self.table, events, self.parameters, self.reporting)

    def _alone(self, figure: Figure) -> Summed:
        columns = kept(self.connection, self.table)
        worth = within(columns["valid_from"], self.parameters.start, self.parameters.end)
        if figure.name == "revenue":
            currency = self.parameters.currency or self.reporting.currency
            ours = worth & columns.is_word("currency", currency)
            worth = np.where(ours, columns["amount"], 0)
        unit, events = _UNITS[figure.name], told(self.table)
        return Summed(
            figure, unit, layout(self.table), columns, worth.astype(np.int64), "customer", events
        )
