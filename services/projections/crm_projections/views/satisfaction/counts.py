"""What satisfaction counts of tickets, or of surveys, as they stand at one cut."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from crm_projections.columns.counting import Array, alike
from crm_projections.columns.cut import standing_at, within
from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import NOTHING
from crm_projections.columns.words import ABSENT
from crm_projections.engine.view import Cut
from crm_projections.views.satisfaction.parameters import SatisfactionParameters

DATES: Final = ("week", "month")


class Standing:
    """Those that fall into the period by their instant in column `at`."""

    def __init__(
        self, columns: Columns, cut: Cut, parameters: SatisfactionParameters, at: str
    ) -> None:
        standing = np.flatnonzero(standing_at(columns, cut))
        self.rows = standing[within(columns[at][standing], parameters.start, parameters.end)]
        self._columns = columns
        self._by = parameters.by

    def resolved(self) -> Iterator[tuple[Any, int, int]]:
        """(key, tickets, how often they were resolved)."""
        classes = alike(self._key())
        resolved = classes.sums(self._columns["resolved"][self.rows])
        for (key,), count, often in zip(classes.rows(), classes.counts(), resolved, strict=True):
            yield self._key_of(key), count, often

    def scored(self) -> Iterator[tuple[Any, int | None, int]]:
        """(key, score, surveys); the score is None where none was given."""
        classes = alike(self._key(), self._scores())
        for (key, score), count in zip(classes.rows(), classes.counts(), strict=True):
            yield self._key_of(key), None if score == ABSENT else score, count

    def _scores(self) -> Array:
        scores = self._columns["score"][self.rows]
        return np.where(scores == NOTHING, ABSENT, scores)

    def _key(self) -> Array:
        if self._by is None:
            return np.full(len(self.rows), ABSENT, dtype=np.int8)
        return self._columns[self._by][self.rows]

    def _key_of(self, code: int) -> Any:
        if self._by is None:
            return None
        return code if self._by in DATES else self._columns.words[self._by].value_of(code)
