"""Numbers of retention that only orders seen together tell, opened: cells, and groups of customers.

Which cohort and which group a customer is of depends on the first order that is seen. So such a
number is opened at one cut; between two cuts no list of events adds up to its difference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, FromClause, Table

from crm_projections.columns.counting import Array, exact_sum
from crm_projections.columns.cut import Mask, within
from crm_projections.columns.events import causes
from crm_projections.columns.tracing import EFFECT, Changes
from crm_projections.engine.evidence import Evidence, Figure, Unit, UnknownFigure
from crm_projections.engine.view import Cut
from crm_projections.facts.instants import month_number
from crm_projections.views.retention.orders import Orders, kept, layout, orders_seen

CELL: Final = ("active", "revenue")
_ONE_CUT: Final = (
    "A cell, or a group of customers, changes with the first orders that are known: its events are "
    "told at one cut (crm why), no difference of two."
)


@dataclass(frozen=True, slots=True)
class SeenTogether:
    """A figure of a cell or a group at one cut."""

    figure: Figure
    unit: Unit
    table: Table
    events: FromClause
    parameters: Any
    currency: str

    def between(self, connection: Connection, before: Cut, after: Cut) -> Evidence:  # noqa: ARG002
        """Raises UnknownFigure."""
        raise UnknownFigure(_ONE_CUT)

    def behind(self, connection: Connection, cut: Cut) -> Evidence:
        """Of a count of customers the first order of each in the cell; else every order."""
        columns = kept(connection, self.table)
        orders = self._of_group(orders_seen(columns, cut, self.parameters, self.currency))
        chosen = np.flatnonzero(self._counted(orders))
        if self.figure.name == "active":
            chosen = _first_of_each(orders, chosen)
        worth = self._worth(orders)[chosen]
        found = Changes.of(orders.rows[chosen], worth, EFFECT)
        told = causes(connection, layout(self.table), columns, self.events, found)
        return Evidence(self.figure, 0, exact_sum(worth), self.unit, told)

    def _of_group(self, orders: Orders) -> Orders:
        asked = self.parameters
        if asked.by is None:
            return orders
        nobody = Orders(orders.columns, orders.rows[:0], orders.parameters, orders.currency)
        return orders.by_key(asked.by).get(asked.key, nobody)

    def _counted(self, orders: Orders) -> Mask:
        """By order: whether it lies in the cell, or in the period where no cell is named."""
        start, end = self.parameters.start, self.parameters.end
        if self.figure.offset is None:
            return within(orders.of("valid_from"), start, end)
        offset, cohort = self.figure.offset, month_number(self.figure.row or "")
        later = self.figure.name == "active" and self.parameters.mode == "unbounded"
        there = orders.offset >= offset if later else orders.offset == offset
        started: Mask = within(orders.first_at, start, end) & (orders.first_month == cohort)
        inside: Mask = there & started[orders.customer]
        return inside

    def _worth(self, orders: Orders) -> Array:
        if self.figure.name == "revenue":
            return orders.revenue
        return np.ones(len(orders.rows), dtype=np.int64)


def _first_of_each(orders: Orders, chosen: Array) -> Array:
    """Of some orders each customer's earliest; of several at one time the one told first."""
    at, told = orders.of("valid_from")[chosen], orders.of("known_from")[chosen]
    ordered = chosen[np.lexsort((told, at, orders.customer[chosen]))]
    _, first = np.unique(orders.customer[ordered], return_index=True)
    found: Array = ordered[first]
    return found


def check_cell(figure: Figure) -> None:
    """Raises UnknownFigure where it names no cell, or nothing of a cell that events add up to."""
    if figure.name not in CELL:
        names = " and ".join(CELL)
        raise UnknownFigure(f"{figure.name!r} is no sum of a cell; these are: {names}.")
    if figure.row is None or figure.offset is None or month_number(figure.row) is None:
        raise UnknownFigure(
            "A cell is named by its cohort and the intervals since, as in --cell 2026-01/2."
        )
