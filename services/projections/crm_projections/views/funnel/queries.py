"""The funnel answered from its standings and moves at one cut of history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from crm_projections.columns.frame import Columns
from crm_projections.engine.view import Answer, Cut, Definition
from crm_projections.facts.instants import Reporting, last_day_before, local_day
from crm_projections.views.funnel import kept
from crm_projections.views.funnel.counts import UnitCounts
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.moved import MoveCounts
from crm_projections.views.funnel.parameters import FunnelParameters
from crm_projections.views.funnel.rows import (
    NO_MOVES,
    Row,
    cohort_rows,
    flow_rows,
    snapshot_rows,
    stage_table,
)
from crm_projections.views.funnel.stage_map import StageMap
from crm_projections.views.funnel.stages import Stages, stages_at
from crm_projections.views.funnel.supposing import (
    entered_stages,
    of_pipeline,
    supposed_moves,
    supposed_standings,
)
from crm_projections.views.funnel.totals import Cell, Closed, excluded, named, totals_of
from crm_projections.views.funnel.trend import Trend

DEFINITION: Final = Definition("funnel", 4)
_WHOLE: Final = object()
"""Stands for every group together; None is the group of units without a value."""
RowsOf = Callable[[Any, Sequence[Cell]], list[Row]]


@dataclass(frozen=True, slots=True)
class History:
    """What a question counts over: the stages of one pipeline, and facts that name them."""

    stages: Stages
    standings: Columns
    moves: Callable[[], Columns]


class FunnelQuery:
    """One question to the funnel: the pieces share a history, a cut and parameters."""

    def __init__(
        self, history: History, cut: Cut, parameters: FunnelParameters, reporting: Reporting
    ) -> None:
        self._history = history
        self._cut = cut
        self._parameters = parameters
        self._zone = reporting.zone
        self._currency = parameters.currency or reporting.currency
        self._stages = history.stages
        self._counts = UnitCounts(
            history.standings,
            cut,
            parameters,
            reporting=reporting,
            pipeline=self._stages.pipeline,
        )

    def answer(self) -> Answer:
        """The funnel in its mode, whole and by group."""
        cells, closed = self._counts.cells(), self._counts.closed()
        rows_of = self._rows_by_key()
        totals = totals_of(cells, closed)
        return Answer(
            definition=DEFINITION,
            parameters=self._said(),
            totals=named(totals, self._currency),
            rows=self._table_rows(rows_of(_WHOLE, cells)),
            groups=self._groups(cells, closed, rows_of) if self._parameters.by else None,
            excluded=excluded(totals),
        )

    def _said(self) -> dict[str, Any]:
        said = self._parameters.model_dump(
            exclude_none=True, exclude={"start", "end", "as_of", "known_at"}
        )
        return said | {"pipeline": self._stages.pipeline, "currency": self._currency}

    def _groups(
        self, cells: Sequence[Cell], closed: Sequence[Closed], rows_of: RowsOf
    ) -> list[Row]:
        of_key, days = _by_key(cells), _by_key(closed)
        return [
            {
                "key": None if key is None else str(key),
                "totals": named(totals_of(own, days.get(key, ())), self._currency),
                "rows": rows_of(key, own),
            }
            for key, own in sorted(of_key.items(), key=lambda item: str(item[0] or ""))
        ]

    def _table_rows(self, rows: list[Row]) -> list[Row]:
        """Each row of a cohort also carries the five-column table's cells."""
        if self._parameters.mode != "cohort":
            return rows
        table = stage_table(rows, self._parameters.failure)
        return [{**row, **line} for row, line in zip(rows, table, strict=True)]

    def _rows_by_key(self) -> RowsOf:
        if self._parameters.mode == "flow":
            moves = self._whole_and_groups(self._moves().moves)
            return lambda key, _: flow_rows(moves.get(key, NO_MOVES), self._stages)
        if self._parameters.mode == "trend":
            return self._trends()
        days = self._whole_and_groups(self._counts.days_in_stage)
        shape = cohort_rows if self._parameters.mode == "cohort" else snapshot_rows
        return lambda key, own: shape(own, self._stages, days.get(key, {}))

    def _moves(self) -> MoveCounts:
        moves = self._history.moves()
        return MoveCounts(moves, self._cut, self._parameters, self._stages.pipeline)

    def _trends(self) -> RowsOf:
        stage, counts = self._stages.stage(self._parameters.stage), self._moves()
        trends = self._whole_and_groups(lambda grouped: counts.trends(stage, grouped=grouped))
        none = Trend(stage)
        return lambda key, _: _rows_of(trends.get(key, none), self._days)

    def _whole_and_groups(self, counted: Callable[..., Mapping[Any, Any]]) -> dict[Any, Any]:
        found = dict(counted(grouped=True)) if self._parameters.by else {}
        if (whole := counted(grouped=False).get(None)) is not None:
            found[_WHOLE] = whole
        return found

    def _days(self, entered: Iterable[int]) -> list[int]:
        """Those of these local days that begin in the period."""
        start, end = self._parameters.start, self._parameters.end
        first = None if start is None else local_day(start, self._zone)
        last = None if end is None else last_day_before(end, self._zone)
        return [
            day
            for day in entered
            if (first is None or day >= first) and (last is None or day <= last)
        ]


def _rows_of(trend: Trend, days: Callable[[Iterable[int]], list[int]]) -> list[Row]:
    return trend.rows(days(trend.entered))


def _by_key(items: Iterable[Any]) -> dict[Any, list[Any]]:
    found: dict[Any, list[Any]] = defaultdict(list)
    for item in items:
        found[item.key].append(item)
    return found


def answer(
    connection: Connection,
    tables: FunnelTables,
    cut: Cut,
    parameters: FunnelParameters,
    reporting: Reporting,
) -> Answer:
    """The funnel at a cut. Raises UnknownPipeline and UnknownStage."""
    stages = stages_at(connection, tables, cut, parameters.pipeline)
    standings = kept.standings(connection, tables)
    history = History(stages, standings, lambda: kept.moves(connection, tables))
    return FunnelQuery(history, cut, parameters, reporting).answer()


def suppose(
    connection: Connection,
    tables: FunnelTables,
    cut: Cut,
    parameters: FunnelParameters,
    reporting: Reporting,
    *,
    to: StageMap,
) -> Answer:
    """The funnel at a cut with other stages. Raises PolicyRefused too."""
    known = stages_at(connection, tables, cut, parameters.pipeline)
    moves = of_pipeline(kept.moves(connection, tables), known.pipeline)
    stages = to.fitted(known, entered_stages(moves))
    standings = of_pipeline(kept.standings(connection, tables), known.pipeline)
    supposed = supposed_standings(standings, moves, cut, to)
    history = History(stages, supposed, lambda: supposed_moves(moves, to))
    return FunnelQuery(history, cut, parameters, reporting).answer()
