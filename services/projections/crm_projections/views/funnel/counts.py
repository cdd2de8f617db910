"""What the funnel counts of units as they stand at one cut, and of the time they spent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from crm_projections.columns.counting import Alike, Array, alike
from crm_projections.columns.cut import Mask, begun_at, within
from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import NOTHING
from crm_projections.columns.words import ABSENT
from crm_projections.engine.view import Cut
from crm_projections.facts.instants import Reporting, local_day
from crm_projections.views.funnel.parameters import FunnelParameters
from crm_projections.views.funnel.rows import DaysInStage
from crm_projections.views.funnel.totals import Cell, Closed


class UnitCounts:
    """Counts for one question about one pipeline."""

    def __init__(
        self,
        standings: Columns,
        cut: Cut,
        parameters: FunnelParameters,
        *,
        reporting: Reporting,
        pipeline: str,
    ) -> None:
        self._columns = standings
        self._cut = cut
        self._parameters = parameters
        self._currency = parameters.currency or reporting.currency
        self._today = local_day(cut.as_of, reporting.zone)
        self._begun = begun_at(standings, cut) & standings.is_word("pipeline", pipeline)

    @cached_property
    def units(self) -> Array:
        """The rows of the units that count, as they stand at the cut."""
        standing = self._begun & (self._columns["valid_to"] > self._cut.as_of)
        rows = np.flatnonzero(standing)
        return rows[self._in_period(rows)]

    def _in_period(self, rows: Array) -> Mask:
        """Cohort and snapshot take units by entry; flow takes those that closed in the period."""
        asked = self._parameters
        if asked.mode != "flow":
            return within(self._columns["entered_at"][rows], asked.start, asked.end)
        inside = within(self._columns["valid_from"][rows], asked.start, asked.end)
        return inside | self._is(rows, "state", "open")

    def _is(self, rows: Array, column: str, word: str) -> Mask:
        mask: Mask = self._columns[column][rows] == self._columns.words[column].code_of(word)
        return mask

    def _key(self, rows: Array, *, grouped: bool = True) -> Array:
        by = self._parameters.by
        if by is None or not grouped:
            return np.full(len(rows), ABSENT, dtype=np.int8)
        return self._columns[by][rows]

    def _key_of(self, code: int) -> Any:
        by = self._parameters.by
        return self._columns.words[by].value_of(code) if by else None

    def _untimed(self, rows: Array) -> Mask:
        unknown, disorder = self._columns["history_unknown"], self._columns["time_disorder"]
        untimed: Mask = (unknown[rows] | disorder[rows]) != 0
        return untimed

    def cells(self) -> list[Cell]:
        """Units as they stand at the cut, those that are alike together."""
        rows, columns = self.units, self._columns
        same = ("stage", "state", "furthest", "furthest_rank", "time_disorder", "history_unknown")
        classes = alike(self._key(rows), *(columns[name][rows] for name in same))
        amount, currency = columns["amount"][rows], columns["currency"][rows]
        ours = currency == columns.words["currency"].code_of(self._currency)
        counts = zip(
            classes.counts(),
            classes.counts(ours),
            classes.sums(np.where(ours & (amount != NOTHING), amount, 0)),
            classes.counts(~ours & (currency != ABSENT)),
            strict=True,
        )
        return [
            self._cell(values, found) for values, found in zip(classes.rows(), counts, strict=True)
        ]

    def _cell(self, values: tuple[int, ...], counts: tuple[int, int, int, int]) -> Cell:
        key, stage, state, furthest, furthest_rank, disorder, unknown = values
        words = self._columns.words
        return Cell(
            self._key_of(key),
            words["stage"].value_of(stage),
            words["state"].value_of(state),
            words["furthest"].value_of(furthest),
            furthest_rank,
            not disorder,
            bool(unknown),
            *counts,
        )

    def closed(self) -> list[Closed]:
        """Units that closed, by the days it took."""
        closed = self.units[~self._is(self.units, "state", "open")]
        rows = closed[~self._untimed(closed)]
        days = self._columns["since_day"][rows] - self._columns["entered_day"][rows]
        classes = alike(self._key(rows), self._columns["state"][rows], days)
        states = self._columns.words["state"]
        return [
            Closed(self._key_of(key), states.value_of(state), days, units)
            for (key, state, days), units in zip(classes.rows(), classes.counts(), strict=True)
        ]

    def days_in_stage(self, *, grouped: bool) -> Mapping[Any, DaysInStage]:
        """By key, which is None where not grouped: stage -> days -> units; days are summed over
        visits, an open one ends at as_of."""
        found: dict[Any, dict[str, Counter[int]]] = defaultdict(lambda: defaultdict(Counter))
        stages = self._columns.words["stage"]
        visits = self._visits(grouped=grouped)
        for (key, stage, days), units in zip(visits.rows(), visits.counts(), strict=True):
            found[self._key_of(key)][stages.value_of(stage)][days] += units
        return found

    def _visits(self, *, grouped: bool) -> Alike:
        """(key, stage, days) of units that were in a stage."""
        columns, cut = self._columns, self._cut
        rows = self._timed_visits()
        over = columns["valid_to"][rows] <= cut.as_of
        until = np.where(over, columns["until_day"][rows], self._today)
        key, stage = self._key(rows, grouped=grouped), columns["stage"][rows]
        per_unit = alike(key, columns["unit"][rows], stage)
        days = per_unit.added(until - columns["from_day"][rows])
        key, _, stage = per_unit.values
        return alike(key, stage, days)

    def _timed_visits(self) -> Array:
        columns = self._columns
        rows = np.flatnonzero(self._begun & columns.is_word("state", "open"))
        entered = within(columns["entered_at"][rows], self._parameters.start, self._parameters.end)
        return rows[entered & ~self._untimed(rows)]
