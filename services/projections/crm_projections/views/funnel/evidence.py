"""The funnel's numbers as sums over standings and moves, to be opened."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import ClassVar, Final

import numpy as np
from sqlalchemy import Connection

from crm_projections.columns.counting import Array
from crm_projections.columns.cut import Mask, within
from crm_projections.columns.layout import NOTHING
from crm_projections.columns.opening import Summed, check_known, of_group
from crm_projections.engine.evidence import Figure, Unit
from crm_projections.engine.view import Cut
from crm_projections.facts.instants import Reporting
from crm_projections.views.funnel import kept
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.parameters import FunnelParameters
from crm_projections.views.funnel.stages import StageRow, stages_at

INPUTS: Final[Mapping[str, Sequence[str]]] = {
    "win_rate_closed": ("won", "lost"),
    "won_share_all": ("won", "units"),
    "won_amount_mean": ("won_amount", "won"),
    "days_to_close_mean": ("won", "lost"),
    "days_to_close_median": ("won", "lost"),
    "days_to_win_mean": ("won",),
    "days_to_win_median": ("won",),
}
_TOTALS: Final = (
    *("units", "open", "won", "lost", "won_amount", "lost_amount", "open_amount"),
    "history_unknown",
)
_ROWS: Final[Mapping[str, Sequence[str]]] = {
    "cohort": ("reached",),
    "snapshot": ("standing",),
    "flow": ("entered", "left_forward"),
}


class FunnelFigures:
    """The figures of one question, and what each row adds to them."""

    inputs: ClassVar = INPUTS

    def __init__(
        self,
        connection: Connection,
        tables: FunnelTables,
        cut: Cut,
        parameters: FunnelParameters,
        reporting: Reporting,
    ) -> None:
        self._connection = connection
        self._tables = tables
        self._parameters = parameters
        self._currency = parameters.currency or reporting.currency
        self._stages = stages_at(connection, tables, cut, parameters.pipeline)
        self._columns = kept.standings(connection, tables)

    def all(self) -> list[Figure]:
        stages = self._stages
        found = [Figure(name) for name in _TOTALS]
        for name in _ROWS.get(self._parameters.mode, ()):
            rows = [*(row.name for row in stages.rows), stages.won_name]
            rows += [stages.lost_name] if name == "standing" else []
            found += [Figure(name, row) for row in rows]
        return found

    def summed(self, figure: Figure) -> Summed:
        """Raises UnknownFigure."""
        check_known(figure, self.all())
        if figure.name in _ROWS["flow"]:
            return self._moved(figure)
        columns, layout = self._columns, kept.standings_layout(self._tables)
        counts = self._counting() & of_group(columns, layout, self._parameters)
        worth = np.where(counts, self._worth(figure), 0).astype(np.int64)
        unit: Unit = "money" if figure.name.endswith("_amount") else "count"
        return Summed(figure, unit, layout, columns, worth, "unit", self._tables.events)

    def _counting(self) -> Mask:
        """Rows that count wherever they stand: of the pipeline, and in the period."""
        columns, asked = self._columns, self._parameters
        mine = columns.is_word("pipeline", self._stages.pipeline)
        if asked.mode != "flow":
            return mine & within(columns["entered_at"], asked.start, asked.end)
        inside = within(columns["valid_from"], asked.start, asked.end)
        return mine & (inside | columns.is_word("state", "open"))

    def _worth(self, figure: Figure) -> Array:
        columns, name = self._columns, figure.name
        if name.endswith("_amount"):
            ours = columns.is_word("currency", self._currency) & (columns["amount"] != NOTHING)
            is_in = columns.is_word("state", name.removesuffix("_amount"))
            return np.where(is_in & ours, columns["amount"], 0)
        simple: dict[str, Callable[[], Array]] = {
            "units": lambda: np.ones(columns.size, dtype=np.bool_),
            "history_unknown": lambda: columns["history_unknown"],
            "reached": lambda: self._reached(figure.row or ""),
            "standing": lambda: self._standing(figure.row or ""),
        }
        return simple.get(name, lambda: columns.is_word("state", name))()

    def _reached(self, row: str) -> Mask:
        won = self._columns.is_word("state", "won")
        stage = self._stage(row)
        return won if stage is None else won | (self._furthest() >= stage.rank)

    def _furthest(self) -> Array:
        """The rank of the furthest stage in this version, as `Stages.rank_of` tells it."""
        ranks = self._columns["furthest_rank"].astype(np.int64)
        for row in self._stages.rows:
            ranks = np.where(self._columns.is_word("furthest", row.key), row.rank, ranks)
        return ranks

    def _standing(self, row: str) -> Mask:
        stage, columns = self._stage(row), self._columns
        if stage is None:
            return columns.is_word("state", "won" if row == self._stages.won_name else "lost")
        return columns.is_word("state", "open") & columns.is_word("stage", stage.key)

    def _stage(self, row: str) -> StageRow | None:
        """None for a terminal."""
        return next((stage for stage in self._stages.rows if stage.name == row), None)

    def _moved(self, figure: Figure) -> Summed:
        columns, asked = kept.moves(self._connection, self._tables), self._parameters
        counts = columns.is_word("pipeline", self._stages.pipeline)
        counts &= within(columns["valid_from"], asked.start, asked.end)
        counts &= of_group(columns, kept.moves_layout(self._tables), asked)
        stage, still_open = self._stage(figure.row or ""), columns.is_word("state", "open")
        won = columns.is_word("state", "won")
        if figure.name == "entered":
            counts &= won if stage is None else still_open & columns.is_word("stage", stage.key)
        else:
            onward = won | (still_open & (columns["rank"] > columns["previous_rank"]))
            left = "" if stage is None else stage.key
            counts &= onward & columns.is_word("previous", left) & (left != "")
        layout = kept.moves_layout(self._tables)
        worth = counts.astype(np.int64)
        return Summed(figure, "count", layout, columns, worth, "unit", self._tables.events)
