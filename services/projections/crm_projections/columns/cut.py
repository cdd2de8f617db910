"""Which facts a query sees, over columns: the same four comparisons as in SQL."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from crm_projections.columns.frame import Columns
from crm_projections.engine.view import Cut
from crm_projections.facts.instants import FOREVER

Mask = NDArray[np.bool_]


def known(columns: Columns, cut: Cut) -> Mask:
    """Rows believed at the cut: a prefix of each named context's log, the whole of the others."""
    known_to = columns["known_to"]
    seen: Mask = known_to == FOREVER
    for context, upto in cut.known.items():
        seen = np.where(columns.is_word("context", context), _believed(columns, upto), seen)
    return seen


def _believed(columns: Columns, upto: int) -> Mask:
    """What a prefix of the log says: what it had not ended was believed, whatever came after."""
    believed: Mask = (columns["known_from"] <= upto) & (columns["known_to"] > upto)
    return believed


def begun_at(columns: Columns, cut: Cut) -> Mask:
    """Rows believed at the cut that began by the instant asked about."""
    return known(columns, cut) & (columns["valid_from"] <= cut.as_of)


def standing_at(columns: Columns, cut: Cut) -> Mask:
    """The one interval of each unit that holds the instant asked about."""
    return begun_at(columns, cut) & (columns["valid_to"] > cut.as_of)


def within(values: NDArray[Any], start: int | None, end: int | None) -> Mask:
    """start <= value < end, each side only where given."""
    inside = np.ones(len(values), dtype=np.bool_)
    if start is not None:
        inside &= values >= start
    if end is not None:
        inside &= values < end
    return inside
