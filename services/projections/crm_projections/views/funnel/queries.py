"""The funnel answered from its standings at one cut of history."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    literal,
    or_,
    select,
)
from sqlalchemy import (
    Row as SqlRow,
)

from crm_projections.engine.view import Answer, Cut, Definition
from crm_projections.facts.cut import known, standing_at, within
from crm_projections.facts.instants import Reporting, local_day
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.parameters import FunnelParameters
from crm_projections.views.funnel.rows import (
    DaysInStage,
    Moves,
    Row,
    cohort_rows,
    flow_rows,
    snapshot_rows,
    stage_table,
)
from crm_projections.views.funnel.stages import stages_at
from crm_projections.views.funnel.totals import Cell, excluded, named, totals_of

DEFINITION: Final = Definition("funnel", 1)
_WHOLE: Final = object()
"""Stands for every group together; None is the group of units without a value."""


class FunnelQuery:
    """One question to the funnel: the pieces share a connection, a cut and parameters."""

    def __init__(
        self,
        connection: Connection,
        tables: FunnelTables,
        cut: Cut,
        parameters: FunnelParameters,
        reporting: Reporting,
    ) -> None:
        self._connection = connection
        self._table = tables.standings
        self._moved = tables.moves
        self._cut = cut
        self._parameters = parameters
        self._currency = parameters.currency or reporting.currency
        self._stages = stages_at(connection, tables, cut, parameters.pipeline)
        self._key = self._table.c[parameters.by] if parameters.by else literal(None)
        self._today = local_day(cut.as_of, reporting.zone)

    def answer(self) -> Answer:
        """The funnel in its mode, whole and by group."""
        cells = self._cells()
        rows_of = self._rows_by_key()
        totals = totals_of(cells)
        return Answer(
            definition=DEFINITION,
            parameters=self._said(),
            totals=named(totals, self._currency),
            rows=self._table_rows(rows_of(_WHOLE, cells)),
            groups=self._groups(cells, rows_of) if self._parameters.by else None,
            excluded=excluded(totals),
        )

    def _said(self) -> dict[str, Any]:
        said = self._parameters.model_dump(
            exclude_none=True, exclude={"start", "end", "as_of", "known_at"}
        )
        return said | {"pipeline": self._stages.pipeline, "currency": self._currency}

    def _groups(
        self, cells: Sequence[Cell], rows_of: Callable[[Any, Sequence[Cell]], list[Row]]
    ) -> list[Row]:
        by_key: dict[Any, list[Cell]] = defaultdict(list)
        for cell in cells:
            by_key[cell.key].append(cell)
        return [
            {
                "key": None if key is None else str(key),
                "totals": named(totals_of(own), self._currency),
                "rows": rows_of(key, own),
            }
            for key, own in sorted(by_key.items(), key=lambda item: str(item[0] or ""))
        ]

    def _table_rows(self, rows: list[Row]) -> list[Row]:
        """Each row of a cohort also carries the five-column table's cells."""
        if self._parameters.mode != "cohort":
            return rows
        table = stage_table(rows, self._parameters.failure)
        return [{**row, **line} for row, line in zip(rows, table, strict=True)]

    def _rows_by_key(self) -> Callable[[Any, Sequence[Cell]], list[Row]]:
        if self._parameters.mode == "flow":
            moves = self._moves()
            return lambda key, _: flow_rows(_moves_of(moves, key), self._stages)
        whole = self._days_in_stage(literal(None))
        days = self._days_in_stage(self._key) if self._parameters.by else []
        shape = cohort_rows if self._parameters.mode == "cohort" else snapshot_rows
        return lambda key, own: shape(
            own, self._stages, _days_of(whole if key is _WHOLE else days, key)
        )

    # --- SQL ---

    def _period(self) -> list[ColumnElement[bool]]:
        """Cohort and snapshot take units by entry; flow takes those that closed in the period."""
        table, parameters = self._table, self._parameters
        column = table.c.valid_from if parameters.mode == "flow" else table.c.entered_at
        conditions = within(column, parameters.start, parameters.end)
        if parameters.mode == "flow" and conditions:
            return [or_(table.c.state == "open", and_(*conditions))]
        return conditions

    def _cells(self) -> list[Cell]:
        t = self._table
        ours = t.c.currency == self._currency
        timed = case((t.c.time_disorder, 0), else_=1)
        days = case((t.c.state == "open", 0), else_=t.c.since_day - t.c.entered_day)
        alike = (
            self._key.label("key"),
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
            .where(t.c.pipeline == self._stages.pipeline, standing_at(t, self._cut))
            .where(*self._period())
            .group_by(*(column for column in alike))
        )
        return [_cell(row) for row in self._connection.execute(query)]

    def _days_in_stage(self, group: ColumnElement[Any]) -> list[tuple[Any, str, int, int]]:
        """(group, stage, days, units); days are summed over visits, an open one ends at as_of."""
        t = self._table
        until = case((t.c.valid_to <= self._cut.as_of, t.c.until_day), else_=self._today)
        since = func.sum(until - t.c.from_day)
        per_unit = (
            select(group.label("key"), t.c.unit, t.c.stage, since.label("days"))
            .where(
                t.c.pipeline == self._stages.pipeline,
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

    def _moves(self) -> list[SqlRow[Any]]:
        t = self._moved
        alike = (t.c.stage, t.c.state, t.c.previous, t.c.previous_rank, t.c.rank)
        key = t.c[self._parameters.by] if self._parameters.by else literal(None)
        query = (
            select(key.label("key"), *alike, func.count().label("moves"))
            .where(
                t.c.pipeline == self._stages.pipeline,
                known(t, self._cut),
                t.c.valid_from <= self._cut.as_of,
                *within(t.c.valid_from, self._parameters.start, self._parameters.end),
            )
            .group_by(key, *alike)
        )
        return list(self._connection.execute(query))


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


def _days_of(rows: Sequence[tuple[Any, str, int, int]], key: Any) -> DaysInStage:
    days: dict[str, Counter[int]] = defaultdict(Counter)
    for row_key, stage, count, units in rows:
        if key is _WHOLE or row_key == key:
            days[stage][count] += units
    return days


def _moves_of(rows: Sequence[SqlRow[Any]], key: Any) -> Moves:
    moves = Moves(Counter(), Counter())
    for row in rows:
        if key is not _WHOLE and row.key != key:
            continue
        moves.entered[row.stage if row.state == "open" else f"\x00{row.state}"] += row.moves
        forward = row.state == "won" or (row.state == "open" and row.rank > row.previous_rank)
        if forward and row.previous:
            moves.left_forward[row.previous] += row.moves
    return moves


def answer(
    connection: Connection,
    tables: FunnelTables,
    cut: Cut,
    parameters: FunnelParameters,
    reporting: Reporting,
) -> Answer:
    """The funnel at a cut. Raises UnknownPipeline."""
    return FunnelQuery(connection, tables, cut, parameters, reporting).answer()
