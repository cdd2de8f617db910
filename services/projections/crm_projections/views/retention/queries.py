"""Retention answered from orders at one cut of history."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Connection, Table

from crm_projections.engine.view import Answer, Cut, Definition
from crm_projections.facts.instants import DAY, Reporting, local_month, month_start
from crm_projections.views.retention.cohorts import (
    Triangle,
    TriangleCounts,
    cohort_rows,
    cohorts_of,
)
from crm_projections.views.retention.orders import Orders, kept, orders_seen
from crm_projections.views.retention.parameters import RetentionParameters
from crm_projections.views.retention.totals import named

DEFINITION: Final = Definition("retention", 2)
_MOST_EMPTY: Final = 1_200


class RetentionQuery:
    """One question to retention: the pieces share orders, a cut and parameters."""

    def __init__(
        self,
        connection: Connection,
        table: Table,
        cut: Cut,
        parameters: RetentionParameters,
        reporting: Reporting,
    ) -> None:
        self._cut = cut
        self._parameters = parameters
        self._zone = reporting.zone
        self._currency = parameters.currency or reporting.currency
        self._orders = orders_seen(kept(connection, table), cut, parameters, self._currency)

    def answer(self) -> Answer:
        """The triangle and the totals, whole and by group."""
        sums = self._orders.sums(self._cut.as_of)
        other = sums.other_currency
        return Answer(
            definition=DEFINITION,
            parameters=self._said(),
            totals=named(sums, self._currency),
            rows=self._rows(self._orders),
            groups=self._groups(self._parameters.by) if self._parameters.by else None,
            excluded={"other_currency_from_amounts": other} if other else {},
        )

    def _said(self) -> dict[str, Any]:
        bounds = {"start", "end", "as_of", "known_at"}
        return self._parameters.model_dump(exclude_none=True, exclude=bounds) | {
            "currency": self._currency
        }

    def _groups(self, by: str) -> list[dict[str, Any]]:
        groups = self._orders.by_key(by)
        return [
            {
                "key": key,
                "totals": named(groups[key].sums(self._cut.as_of), self._currency),
                "rows": self._rows(groups[key]),
            }
            for key in sorted(groups, key=lambda value: value or "")
        ]

    def _rows(self, orders: Orders) -> list[dict[str, Any]]:
        counts = orders.triangle()
        triangle = Triangle(
            last_offset=self._last_offset(counts),
            complete=self._complete,
            unbounded=self._parameters.mode == "unbounded",
            currency=self._currency,
        )
        return cohort_rows(cohorts_of(counts), triangle)

    def _last_offset(self, counts: TriangleCounts) -> Callable[[int], int]:
        """Columns end with the last interval that has data, or with as_of where it is given, but
        within a century after the data: of the year 9999 nobody reads a column for each month."""
        if self._parameters.rolling_days is not None:
            widest = max((offset for _, offset, *_ in counts.cells), default=0)
            return lambda _: widest
        last = max((cohort + offset for cohort, offset, *_ in counts.cells), default=0)
        if self._parameters.as_of is not None:
            last = min(local_month(self._cut.as_of, self._zone), last + _MOST_EMPTY)
        return lambda month: last - month

    def _complete(self, month: int, offset: int) -> bool:
        """Whether the interval was over at as_of, for the youngest customer of the cohort."""
        days = self._parameters.rolling_days
        if days is None:
            return month_start(month + offset + 1, self._zone) <= self._cut.as_of + 1
        youngest = month_start(month + 1, self._zone)
        return youngest + (offset + 1) * days * DAY <= self._cut.as_of + 1
