"""What the funnel reads from its tables, at one cut and for one pipeline."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, or_, select
from sqlalchemy import Row as SqlRow

from crm_projections.engine.view import Cut
from crm_projections.facts.cut import known, standing_at, within
from crm_projections.facts.instants import Reporting, local_day
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.parameters import FunnelParameters
from crm_projections.views.funnel.totals import Cell


class Selects:
    """Reads for one question; counts are made in the database."""

    def __init__(
        self,
        connection: Connection,
        tables: FunnelTables,
        cut: Cut,
        parameters: FunnelParameters,
        *,
        reporting: Reporting,
        pipeline: str,
    ) -> None:
        self._connection = connection
        self._table = tables.standings
        self._moved = tables.moves
        self._cut = cut
        self._parameters = parameters
        self._currency = parameters.currency or reporting.currency
        self._zone = reporting.zone
        self._today = local_day(cut.as_of, reporting.zone)
        self.key = self._table.c[parameters.by] if parameters.by else literal(None)
        self._pipeline = pipeline

    def _period(self) -> list[ColumnElement[bool]]:
        """Cohort and snapshot take units by entry; flow takes those that closed in the period."""
        table, parameters = self._table, self._parameters
        column = table.c.valid_from if parameters.mode == "flow" else table.c.entered_at
        conditions = within(column, parameters.start, parameters.end)
        if parameters.mode == "flow" and conditions:
            return [or_(table.c.state == "open", and_(*conditions))]
        return conditions

    def cells(self) -> list[Cell]:
        """Units as they stand at the cut, those that are alike together."""
        t = self._table
        ours = t.c.currency == self._currency
        timed = case((t.c.time_disorder, 0), else_=1)
        days = case((t.c.state == "open", 0), else_=t.c.since_day - t.c.entered_day)
        alike = (
            self.key.label("key"),
            t.c.stage,
            t.c.state,
            t.c.furthest,
            t.c.furthest_rank,
            timed.label("timed"),
            t.c.history_unknown,
            days.label("days"),
        )
        query = (
            select(
                *alike,
                func.count().label("units"),
                func.sum(case((ours, 1), else_=0)).label("units_with_amount"),
                func.sum(case((ours, t.c.amount), else_=0)).label("amount"),
                func.sum(case((and_(t.c.currency.is_not(None), ~ours), 1), else_=0)).label(
                    "other_currency"
                ),
            )
            .where(t.c.pipeline == self._pipeline, standing_at(t, self._cut))
            .where(*self._period())
            .group_by(*(column for column in alike))
        )
        return [_cell(row) for row in self._connection.execute(query)]

    def days_in_stage(self, group: ColumnElement[Any]) -> list[tuple[Any, str, int, int]]:
        """(group, stage, days, units); days are summed over visits, an open one ends at as_of."""
        t = self._table
        until = case((t.c.valid_to <= self._cut.as_of, t.c.until_day), else_=self._today)
        since = func.sum(until - t.c.from_day)
        per_unit = (
            select(group.label("key"), t.c.unit, t.c.stage, since.label("days"))
            .where(
                t.c.pipeline == self._pipeline,
                known(t, self._cut),
                t.c.valid_from <= self._cut.as_of,
                t.c.state == "open",
                ~t.c.history_unknown,
                ~t.c.time_disorder,
                *within(t.c.entered_at, self._parameters.start, self._parameters.end),
            )
            .group_by(group, t.c.unit, t.c.stage)
            .subquery()
        )
        query = select(per_unit.c.key, per_unit.c.stage, per_unit.c.days, func.count()).group_by(
            per_unit.c.key, per_unit.c.stage, per_unit.c.days
        )
        return [(row[0], row[1], int(row[2]), row[3]) for row in self._connection.execute(query)]

    def moves(self) -> list[SqlRow[Any]]:
        """The moves of the period, counted by where they came from and went to."""
        t = self._moved
        alike = (t.c.stage, t.c.state, t.c.previous, t.c.previous_rank, t.c.rank)
        key = self._moved_by()
        query = (
            select(key.label("key"), *alike, func.count().label("moves"))
            .where(*self._moves_seen())
            .where(*within(t.c.valid_from, self._parameters.start, self._parameters.end))
            .group_by(key, *alike)
        )
        return list(self._connection.execute(query))

    def entries(self) -> Iterator[tuple[Any, int]]:
        """Every move with its local day, each unit's in the order of their effect."""
        t = self._moved
        query = (
            select(
                self._moved_by().label("key"),
                t.c.unit,
                t.c.stage,
                t.c.state,
                t.c.rank,
                t.c.valid_from,
            )
            .where(*self._moves_seen())
            .order_by(t.c.unit, t.c.valid_from, t.c.known_from)
        )
        for row in self._connection.execute(query):
            yield row, local_day(row.valid_from, self._zone)

    def days(self, entered: Iterable[int]) -> list[int]:
        """Those of these local days that begin in the period."""
        start, end = self._parameters.start, self._parameters.end
        first = None if start is None else local_day(start, self._zone)
        last = None if end is None else local_day(end - 1, self._zone)
        return [
            day
            for day in entered
            if (first is None or day >= first) and (last is None or day <= last)
        ]

    def _moved_by(self) -> ColumnElement[Any]:
        by = self._parameters.by
        return self._moved.c[by] if by else literal(None)

    def _moves_seen(self) -> tuple[ColumnElement[bool], ...]:
        t = self._moved
        return (
            t.c.pipeline == self._pipeline,
            known(t, self._cut),
            t.c.valid_from <= self._cut.as_of,
        )


def _cell(row: SqlRow[Any]) -> Cell:
    return Cell(
        key=row.key,
        stage=row.stage,
        state=row.state,
        furthest=row.furthest,
        furthest_rank=row.furthest_rank,
        timed=bool(row.timed),
        history_unknown=bool(row.history_unknown),
        days=row.days,
        units=row.units,
        units_with_amount=int(row.units_with_amount),
        amount=int(row.amount or 0),
        other_currency=int(row.other_currency),
    )
