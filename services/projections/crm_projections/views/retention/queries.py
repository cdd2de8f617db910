"""Retention answered from orders at one cut of history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Subquery, Table, case, func, literal, select

from crm_projections.engine.view import Answer, Cut, Definition
from crm_projections.facts.cut import known, within
from crm_projections.facts.instants import DAY, Reporting, local_month, month_start
from crm_projections.views.retention.cohorts import Triangle, cohort_rows, cohorts_of
from crm_projections.views.retention.parameters import RetentionParameters
from crm_projections.views.retention.totals import Sums, named

DEFINITION: Final = Definition("retention", 1)


class RetentionQuery:
    """One question to retention: the pieces share a connection, a cut and parameters."""

    def __init__(
        self,
        connection: Connection,
        table: Table,
        cut: Cut,
        parameters: RetentionParameters,
        reporting: Reporting,
    ) -> None:
        self._connection = connection
        self._table = table
        self._cut = cut
        self._parameters = parameters
        self._zone = reporting.zone
        self._currency = parameters.currency or reporting.currency
        self._seen = (known(table, cut), table.c.valid_from <= cut.as_of)

    def answer(self) -> Answer:
        """The triangle and the totals, whole and by group."""
        orders = self._orders(None)
        sums = self._sums(orders)
        other = sums.other_currency
        return Answer(
            definition=DEFINITION,
            parameters=self._said(),
            totals=named(sums, self._currency),
            rows=self._rows(orders),
            groups=self._groups() if self._parameters.by else None,
            excluded={"other_currency_from_amounts": other} if other else {},
        )

    def _said(self) -> dict[str, Any]:
        bounds = {"start", "end", "as_of", "known_at"}
        return self._parameters.model_dump(exclude_none=True, exclude=bounds) | {
            "currency": self._currency
        }

    def _groups(self) -> list[dict[str, Any]]:
        first = self._first_values()
        keys = self._connection.execute(select(first.c.key).distinct()).scalars().all()
        return [
            {
                "key": key,
                "totals": named(self._sums(self._orders(key, first)), self._currency),
                "rows": self._rows(self._orders(key, first)),
            }
            for key in sorted(keys, key=lambda value: value or "")
        ]

    # --- SQL ---

    def _first_values(self) -> Subquery:
        """The group of each customer: the value on their first order."""
        t = self._table
        place = func.row_number().over(
            partition_by=t.c.customer, order_by=(t.c.valid_from, t.c.known_from)
        )
        column = t.c[self._parameters.by or "source"]
        ranked = select(t.c.customer, column.label("key"), place.label("place")).where(*self._seen)
        inner = ranked.subquery()
        return select(inner.c.customer, inner.c.key).where(inner.c.place == 1).subquery()

    def _orders(self, key: str | None, first: Subquery | None = None) -> Subquery:
        """The orders seen, each with its customer's first order and the offset from it."""
        t = self._table
        first_at = func.min(t.c.valid_from).over(partition_by=t.c.customer)
        first_month = func.min(t.c.month).over(partition_by=t.c.customer)
        ours = t.c.currency == self._currency
        query = select(
            t.c.customer,
            t.c.valid_from,
            t.c.day,
            first_at.label("first_at"),
            first_month.label("cohort"),
            self._offset(first_at, first_month).label("offset"),
            case((ours, t.c.amount), else_=0).label("revenue"),
            case((ours, 0), else_=1).label("other"),
        ).where(*self._seen)
        if first is not None:
            same = first.c.key.is_(None) if key is None else first.c.key == key
            query = query.join(first, first.c.customer == t.c.customer).where(same)
        return query.subquery()

    def _offset(
        self, first_at: ColumnElement[int], first_month: ColumnElement[int]
    ) -> ColumnElement[int]:
        days = self._parameters.rolling_days
        if days is None:
            return self._table.c.month - first_month
        return (self._table.c.valid_from - first_at) // literal(days * DAY)

    def _rows(self, orders: Subquery) -> list[dict[str, Any]]:
        started = within(orders.c.first_at, self._parameters.start, self._parameters.end)
        per_interval = (
            select(
                orders.c.customer,
                orders.c.cohort,
                orders.c.offset,
                func.sum(orders.c.revenue).label("revenue"),
            )
            .where(*started)
            .group_by(orders.c.customer, orders.c.cohort, orders.c.offset)
            .subquery()
        )
        p = per_interval
        cells = select(
            p.c.cohort,
            p.c.offset,
            func.count().label("active"),
            func.sum(p.c.revenue).label("revenue"),
        ).group_by(p.c.cohort, p.c.offset)
        last = (
            select(p.c.cohort, func.max(p.c.offset).label("offset"))
            .group_by(p.c.customer, p.c.cohort)
            .subquery()
        )
        lasts = select(last.c.cohort, last.c.offset, func.count().label("customers")).group_by(
            last.c.cohort, last.c.offset
        )
        return self._triangle(
            self._connection.execute(cells).all(),
            self._connection.execute(lasts).all() if self._parameters.mode == "unbounded" else (),
        )

    def _triangle(
        self, cells: Sequence[Row[Any]], lasts: Sequence[Row[Any]]
    ) -> list[dict[str, Any]]:
        cohorts = cohorts_of(cells, lasts)
        triangle = Triangle(
            last_offset=self._last_offset(cells),
            complete=self._complete,
            unbounded=self._parameters.mode == "unbounded",
            currency=self._currency,
        )
        return cohort_rows(cohorts, triangle)

    def _last_offset(self, cells: Sequence[Row[Any]]) -> Any:
        """Columns end with the last interval that has data, or with as_of where it is given."""
        days = self._parameters.rolling_days
        if days is not None:
            return lambda _: max((row.offset for row in cells), default=0)
        last = max((row.cohort + row.offset for row in cells), default=0)
        if self._parameters.as_of is not None:
            last = local_month(self._cut.as_of, self._zone)
        return lambda month: last - month

    def _complete(self, month: int, offset: int) -> bool:
        """Whether the interval was over at as_of, for the youngest customer of the cohort."""
        days = self._parameters.rolling_days
        if days is None:
            return month_start(month + offset + 1, self._zone) <= self._cut.as_of + 1
        youngest = month_start(month + 1, self._zone)
        return youngest + (offset + 1) * days * DAY <= self._cut.as_of + 1

    def _sums(self, orders: Subquery) -> Sums:
        end = self._parameters.end if self._parameters.end is not None else self._cut.as_of + 1
        window = self._parameters.active_days * DAY
        start = self._parameters.start if self._parameters.start is not None else end - window
        o = orders.c

        def bought(since: int, until: int) -> ColumnElement[int]:
            return func.max(case((o.valid_from.between(since, until - 1), 1), else_=0))

        inside = within(o.valid_from, self._parameters.start, self._parameters.end)
        counted = case((literal(True) if not inside else _all(inside), 1), else_=0)
        per_customer = (
            select(
                func.sum(counted).label("orders"),
                func.count(case((counted == 1, o.day)).distinct()).label("days"),
                func.sum(case((counted == 1, o.revenue), else_=0)).label("revenue"),
                func.sum(case((counted == 1, o.other), else_=0)).label("other"),
                bought(start - window, start).label("at_start"),
                bought(end - window, end).label("at_end"),
                func.max(case((o.first_at.between(start, end - 1), 1), else_=0)).label("acquired"),
            )
            .group_by(o.customer)
            .subquery()
        )
        return self._summed(per_customer)

    def _summed(self, per_customer: Subquery) -> Sums:
        p = per_customer.c

        def count(condition: ColumnElement[bool]) -> ColumnElement[int]:
            return func.coalesce(func.sum(case((condition, 1), else_=0)), 0)

        row = self._connection.execute(
            select(
                count(p.orders >= 1),
                func.coalesce(func.sum(p.orders), 0),
                func.coalesce(func.sum(p.revenue), 0),
                func.coalesce(func.sum(p.other), 0),
                count(p.orders >= 2),
                count(p.days >= 2),
                count(p.at_end == 1),
                count(p.at_start == 1),
                count((p.at_start == 1) & (p.at_end == 1)),
                count(p.acquired == 1),
            )
        ).one()
        return Sums(*(int(value) for value in row))


def _all(conditions: Sequence[ColumnElement[bool]]) -> ColumnElement[bool]:
    whole = conditions[0]
    for condition in conditions[1:]:
        whole = whole & condition
    return whole
