"""The funnel answered from its standings at one cut of history."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any, Final

from sqlalchemy import Connection, literal
from sqlalchemy import Row as SqlRow

from crm_projections.engine.view import Answer, Cut, Definition
from crm_projections.facts.instants import Reporting
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
from crm_projections.views.funnel.selects import Selects
from crm_projections.views.funnel.stages import stages_at
from crm_projections.views.funnel.totals import Cell, excluded, named, totals_of
from crm_projections.views.funnel.trend import Trend

DEFINITION: Final = Definition("funnel", 3)
_WHOLE: Final = object()
"""Stands for every group together; None is the group of units without a value."""
RowsOf = Callable[[Any, Sequence[Cell]], list[Row]]


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
        self._parameters = parameters
        self._currency = parameters.currency or reporting.currency
        self._stages = stages_at(connection, tables, cut, parameters.pipeline)
        self._selects = Selects(
            connection,
            tables,
            cut,
            parameters,
            reporting=reporting,
            pipeline=self._stages.pipeline,
        )

    def answer(self) -> Answer:
        """The funnel in its mode, whole and by group."""
        cells = self._selects.cells()
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

    def _groups(self, cells: Sequence[Cell], rows_of: RowsOf) -> list[Row]:
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

    def _rows_by_key(self) -> RowsOf:
        if self._parameters.mode == "flow":
            moves = self._selects.moves()
            return lambda key, _: flow_rows(_moves_of(moves, key), self._stages)
        if self._parameters.mode == "trend":
            return self._trends()
        whole = self._selects.days_in_stage(literal(None))
        by = self._parameters.by
        days = self._selects.days_in_stage(self._selects.key) if by else []
        shape = cohort_rows if self._parameters.mode == "cohort" else snapshot_rows
        return lambda key, own: shape(
            own, self._stages, _days_of(whole if key is _WHOLE else days, key)
        )

    def _trends(self) -> RowsOf:
        stage = self._stages.stage(self._parameters.stage)
        trends: dict[Any, Trend] = defaultdict(lambda: Trend(stage))
        for move, day in self._selects.entries():
            trends[_WHOLE].take(move.unit, move, day)
            trends[move.key].take(move.unit, move, day)
        return lambda key, _: trends[key].rows(self._selects.days(trends[key].entered))


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
