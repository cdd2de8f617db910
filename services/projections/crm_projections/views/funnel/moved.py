"""What the funnel counts of moves: those of a period, and what became of entries to a stage."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any

import numpy as np

from crm_projections.columns.counting import Alike, Array, alike
from crm_projections.columns.cut import Mask, begun_at, within
from crm_projections.columns.frame import Columns
from crm_projections.columns.words import ABSENT
from crm_projections.engine.view import Cut
from crm_projections.views.funnel.parameters import FunnelParameters
from crm_projections.views.funnel.rows import Moves
from crm_projections.views.funnel.stages import StageRow
from crm_projections.views.funnel.trend import Trend


class MoveCounts:
    """Counts for one question about one pipeline."""

    def __init__(
        self, moves: Columns, cut: Cut, parameters: FunnelParameters, pipeline: str
    ) -> None:
        self._columns = moves
        self._parameters = parameters
        self.seen = np.flatnonzero(begun_at(moves, cut) & moves.is_word("pipeline", pipeline))

    def _key(self, rows: Array, *, grouped: bool) -> Array:
        by = self._parameters.by
        if by is None or not grouped:
            return np.full(len(rows), ABSENT, dtype=np.int8)
        return self._columns[by][rows]

    def _key_of(self, code: int) -> Any:
        by = self._parameters.by
        return self._columns.words[by].value_of(code) if by else None

    def _is(self, rows: Array, column: str, word: str) -> Mask:
        mask: Mask = self._columns[column][rows] == self._columns.words[column].code_of(word)
        return mask

    def of_period(self) -> Array:
        moved_at = self._columns["valid_from"][self.seen]
        return self.seen[within(moved_at, self._parameters.start, self._parameters.end)]

    def moves(self, *, grouped: bool) -> Mapping[Any, Moves]:
        """The moves of the period by key, which is None where not grouped."""
        found: dict[Any, Moves] = defaultdict(lambda: Moves(Counter(), Counter()))
        rows = self.of_period()
        same = ("stage", "state", "rank", "previous", "previous_rank")
        classes = alike(self._key(rows, grouped=grouped), *(self._columns[n][rows] for n in same))
        for (key, *values), moves in zip(classes.rows(), classes.counts(), strict=True):
            self._count(found[self._key_of(key)], values, moves)
        return found

    def _count(self, counted: Moves, values: list[int], moves: int) -> None:
        stage, state, rank, previous, previous_rank = values
        words = self._columns.words
        state_word, left = words["state"].value_of(state), words["previous"].value_of(previous)
        came_to = words["stage"].value_of(stage) if state_word == "open" else f"\x00{state_word}"
        counted.entered[came_to] += moves
        if left and (state_word == "won" or (state_word == "open" and rank > previous_rank)):
            counted.left_forward[left] += moves

    def trends(self, stage: StageRow, *, grouped: bool) -> Mapping[Any, Trend]:
        """Entries to a stage by their local day, by key, which is None where not grouped."""
        found: dict[Any, Trend] = defaultdict(lambda: Trend(stage))
        classes, forward = self._entries(stage, grouped=grouped)
        counts = zip(classes.counts(), classes.counts(forward), strict=True)
        for (key, day), (entered, left) in zip(classes.rows(), counts, strict=True):
            found[self._key_of(key)].entered[day] += entered
            found[self._key_of(key)].forward[day] += left
        return found

    def _entries(self, stage: StageRow, *, grouped: bool) -> tuple[Alike, Mask]:
        """Entries alike in key and day, and which of them went forward: an entry ends with the
        unit's next move, and one that is another entry to the stage leads nowhere."""
        columns = self._columns
        key, unit = self._key(self.seen, grouped=grouped), columns["unit"][self.seen]
        order = np.lexsort(
            (columns["known_from"][self.seen], columns["valid_from"][self.seen], unit, key)
        )
        rows, key, unit = self.seen[order], key[order], unit[order]
        still_open = self._is(rows, "state", "open")
        entry = still_open & self._is(rows, "stage", stage.key)
        onward = self._is(rows, "state", "won") | (
            still_open & (columns["rank"][rows] > stage.rank)
        )
        follows = np.zeros(len(rows), dtype=np.bool_)
        follows[:-1] = (unit[1:] == unit[:-1]) & (key[1:] == key[:-1])
        forward = np.zeros(len(rows), dtype=np.bool_)
        forward[:-1] = follows[:-1] & (onward & ~entry)[1:]
        return alike(key[entry], columns["day"][rows][entry]), forward[entry]
