"""Orders that one question sees, with each customer's first, and what is counted of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, Table

from crm_projections.columns.counting import Array, alike, exact_sum, extremes, least_of, pairs
from crm_projections.columns.cut import Mask, begun_at, within
from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import Layout
from crm_projections.columns.store import columns_of
from crm_projections.engine.view import Cut
from crm_projections.facts.instants import DAY
from crm_projections.views.retention.cohorts import TriangleCounts
from crm_projections.views.retention.parameters import RetentionParameters
from crm_projections.views.retention.totals import Sums

CONTEXTS: Final = ("pipeline",)
_ORDER: Final = ("day", "month", "amount", "currency", "source", "region", "segment")


def layout(table: Table) -> Layout:
    return Layout(table, CONTEXTS, _ORDER, ("customer",))


def kept(connection: Connection, table: Table) -> Columns:
    """The columns of orders that are kept in memory."""
    return columns_of(connection, layout(table))


@dataclass(frozen=True)
class Orders:
    """Some of the rows of orders. Customers are told by their number in the columns."""

    columns: Columns
    rows: Array
    parameters: RetentionParameters
    currency: str

    def of(self, name: str) -> Array:
        return self.columns[name][self.rows]

    @cached_property
    def customer(self) -> Array:
        return self.of("customer")

    @cached_property
    def first_at(self) -> Array:
        """By customer: when the first order was placed."""
        return self._least("valid_from")

    @cached_property
    def first_month(self) -> Array:
        return self._least("month")

    def _least(self, name: str) -> Array:
        return least_of(self.customer, self.of(name), self.columns.things["customer"])

    @cached_property
    def offset(self) -> Array:
        """By order: intervals since the customer's first order."""
        days = self.parameters.rolling_days
        if days is None:
            return self.of("month") - self.first_month[self.customer]
        return (self.of("valid_from") - self.first_at[self.customer]) // (days * DAY)

    @cached_property
    def revenue(self) -> Array:
        """By order: ten-thousandths of the currency asked for."""
        return np.where(self._ours, self.of("amount"), 0)

    @cached_property
    def _ours(self) -> Mask:
        ours: Mask = self.of("currency") == self.columns.words["currency"].code_of(self.currency)
        return ours

    # --- groups ---

    def by_key(self, name: str) -> Mapping[Any, Orders]:
        """The orders of each group of customers: by the value on their first order."""
        values = self._first_values(name)[self.customer]
        order = np.argsort(values, kind="stable")
        found, starts = np.unique(values[order], return_index=True)
        word = self.columns.words[name].value_of
        parts = np.split(self.rows[order], starts[1:]) if len(starts) else []
        return {
            word(code): Orders(self.columns, rows, self.parameters, self.currency)
            for code, rows in zip(found.tolist(), parts, strict=True)
        }

    def _first_values(self, name: str) -> Array:
        first = self.of("valid_from") == self.first_at[self.customer]
        rows, customers = self.rows[first], self.customer[first]
        order = np.argsort(-self.columns["known_from"][rows])  # what was told first is set last
        values = np.zeros(self.columns.things["customer"], dtype=np.int64)
        values[customers[order]] = self.columns[name][rows[order]]
        return values

    # --- the triangle ---

    def triangle(self) -> TriangleCounts:
        """Of customers whose first order lies in the period."""
        started = within(self.first_at, self.parameters.start, self.parameters.end)
        inside = started[self.customer]
        customer, offset = self.customer[inside], self.offset[inside]
        cohort = self.first_month[customer]
        cells = alike(cohort, offset)
        active, at = pairs(customer, offset)
        of_active = alike(self.first_month[active], at)
        found = zip(cells.rows(), of_active.counts(), cells.sums(self.revenue[inside]), strict=True)
        counted = [(month, at, count, revenue) for (month, at), count, revenue in found]
        return TriangleCounts(counted, list(self._lasts(customer, offset)))

    def _lasts(self, customer: Array, offset: Array) -> Iterator[tuple[int, int, int]]:
        if self.parameters.mode != "unbounded":
            return
        _, last = extremes(customer, offset, self.columns.things["customer"])
        there = np.unique(customer)
        classes = alike(self.first_month[there], last[there])
        for (month, at), count in zip(classes.rows(), classes.counts(), strict=True):
            yield month, at, count

    # --- the totals ---

    def sums(self, as_of: int) -> Sums:
        """Counts over customers at the end of the period, which is `as_of` where none is named."""
        asked, window = self.parameters, self.parameters.active_days * DAY
        end = as_of + 1 if asked.end is None else asked.end
        start = end - window if asked.start is None else asked.start
        at_start, at_end = self._bought(start - window, start), self._bought(end - window, end)
        inside = within(self.of("valid_from"), asked.start, asked.end)
        customers = self.columns.things["customer"]
        ordered = np.bincount(self.customer[inside], minlength=customers)
        first_day, last_day = extremes(self.customer[inside], self.of("day")[inside], customers)
        return Sums(
            customers=int(np.count_nonzero(ordered)),
            orders=int(np.count_nonzero(inside)),
            revenue=exact_sum(self.revenue[inside]),
            other_currency=int(np.count_nonzero(inside & ~self._ours)),
            repeated=int(np.count_nonzero(ordered >= 2)),
            repeated_by_day=int(np.count_nonzero(first_day < last_day)),
            active=int(np.count_nonzero(at_end)),
            active_at_start=int(np.count_nonzero(at_start)),
            retained=int(np.count_nonzero(at_start & at_end)),
            acquired=int(np.count_nonzero(within(self.first_at, start, end))),
        )

    def _bought(self, since: int, until: int) -> Mask:
        """By customer: whether there was an order in [since, until)."""
        found = np.zeros(self.columns.things["customer"], dtype=np.bool_)
        found[self.customer[within(self.of("valid_from"), since, until)]] = True
        return found


def orders_seen(
    columns: Columns, cut: Cut, parameters: RetentionParameters, currency: str
) -> Orders:
    return Orders(columns, np.flatnonzero(begun_at(columns, cut)), parameters, currency)
