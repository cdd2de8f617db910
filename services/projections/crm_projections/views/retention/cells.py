"""Numbers of retention that only orders seen together tell, opened: cells, and groups of customers.

Which cohort and which group a customer is of depends on the first order that is seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, FromClause, Table

from crm_projections.columns.counting import Array, exact_sum
from crm_projections.columns.cut import Mask, within
from crm_projections.columns.events import causes
from crm_projections.columns.frame import Columns
from crm_projections.columns.tracing import EFFECT, Changes, joined
from crm_projections.engine.evidence import Evidence, Figure, Unit, UnknownFigure
from crm_projections.engine.view import Cut
from crm_projections.facts.instants import (
    DAY,
    Reporting,
    day_date,
    local_day,
    month_number,
    month_start,
)
from crm_projections.views.retention.orders import Orders, kept, layout, orders_seen

CELL: Final = ("active", "revenue")
_ONE_KNOWLEDGE: Final = (
    "A first order that became known moves its customer to another cell or group, so between two "
    "days of knowing these have no events that add up; compare two days of effect."
)


@dataclass(frozen=True, slots=True)
class SeenTogether:
    """A figure of a cell or a group at one cut."""

    figure: Figure
    unit: Unit
    table: Table
    events: FromClause
    parameters: Any
    reporting: Reporting

    def between(self, connection: Connection, before: Cut, after: Cut) -> Evidence:
        """From instant to instant. Time brings orders after those that were, so that nobody's first
        order changes, and what is in a cell or group stays there.

        Raises UnknownFigure between two states of knowledge, and where there is no such cell.
        """
        if before.known != after.known:
            raise UnknownFigure(_ONE_KNOWLEDGE)
        columns = kept(connection, self.table)
        then, now = (self._made_of(columns, cut) for cut in (before, after))
        self._check_begun(columns, max(before, after, key=lambda cut: cut.as_of))
        found = joined((now.without(then), then.without(now).taken_back()))
        told = causes(connection, layout(self.table), columns, self.events, found)
        return Evidence(self.figure, exact_sum(then.added), exact_sum(now.added), self.unit, told)

    def behind(self, connection: Connection, cut: Cut) -> Evidence:
        """Of a count of customers the first order of each in the cell; else every order.

        Raises UnknownFigure where there is no such cell.
        """
        columns = kept(connection, self.table)
        self._check_begun(columns, cut)
        found = self._made_of(columns, cut)
        told = causes(connection, layout(self.table), columns, self.events, found)
        return Evidence(self.figure, 0, exact_sum(found.added), self.unit, told)

    def _made_of(self, columns: Columns, cut: Cut) -> Changes:
        orders = self._of_group(self._seen(columns, cut))
        chosen = np.flatnonzero(self._counted(orders))
        if self.figure.name == "active":
            chosen = _first_of_each(orders, chosen)
        return Changes.of(orders.rows[chosen], self._worth(orders)[chosen], EFFECT)

    def _seen(self, columns: Columns, cut: Cut) -> Orders:
        asked = self.parameters
        return orders_seen(columns, cut, asked, asked.currency or self.reporting.currency)

    def _check_begun(self, columns: Columns, cut: Cut) -> None:
        """A cell is there from the first moment of its cohort's oldest customer in it."""
        offset = self.figure.offset
        if offset is None:
            return
        orders = self._of_group(self._seen(columns, cut))
        cell, zone = f"There is no cell {self.figure.row}/{offset}", self.reporting.zone
        placed = orders.of("valid_from")[self._of_cohort(orders)]
        if len(placed) == 0:
            raise UnknownFigure(f"{cell}: no customer's first order lies in {self.figure.row}.")
        days = self.parameters.rolling_days
        begins = (
            month_start(self._cohort + offset, zone)
            if days is None
            else int(placed.min()) + offset * days * DAY
        )
        if begins > cut.as_of:
            day = day_date(local_day(cut.as_of, zone))
            raise UnknownFigure(f"{cell}: on {day} it has not begun.")

    def _of_group(self, orders: Orders) -> Orders:
        asked = self.parameters
        if asked.by is None:
            return orders
        nobody = Orders(orders.columns, orders.rows[:0], asked, orders.currency)
        return orders.by_key(asked.by).get(asked.key, nobody)

    def _counted(self, orders: Orders) -> Mask:
        """By order: whether it lies in the cell, or in the period where no cell is named."""
        if self.figure.offset is None:
            asked = self.parameters
            return within(orders.of("valid_from"), asked.start, asked.end)
        offset = self.figure.offset
        later = self.figure.name == "active" and self.parameters.mode == "unbounded"
        there = orders.offset >= offset if later else orders.offset == offset
        return there & self._of_cohort(orders)

    @property
    def _cohort(self) -> int:
        return month_number(self.figure.row or "") or 0

    def _of_cohort(self, orders: Orders) -> Mask:
        """By order: whether it is of a customer whose first lies in the cohort and the period."""
        inside = within(orders.first_at, self.parameters.start, self.parameters.end)
        started: Mask = inside & (orders.first_month == self._cohort)
        of_theirs: Mask = started[orders.customer]
        return of_theirs

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
