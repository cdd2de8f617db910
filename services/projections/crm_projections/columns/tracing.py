"""How a sum over things came to change from one cut to another, row by row.

What a row is worth is told by an array over all rows: 0 where it does not count. A figure at a cut
is the sum over the rows that stand there, so the changes of each thing, from row to row, add up to
the figure's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from crm_projections.columns.counting import Array, exact_sum
from crm_projections.columns.cut import Mask, begun_at, known, standing_at
from crm_projections.columns.frame import Columns
from crm_projections.engine.view import Cut
from crm_projections.facts.instants import FOREVER

EFFECT, NEWS, END = range(3)
"""Which event a change is owed to: the one that the row's interval begins with, the one that made
the row known, or the one that ended the belief in it."""
BEFORE_ALL: Final = -(2**62)


@dataclass(frozen=True, slots=True)
class Changes:
    """Rows, what each added, and which of its events it is owed to."""

    rows: Array
    added: Array
    by: Array

    @classmethod
    def of(cls, rows: Array, added: Array, by: int) -> Changes:
        some = added != 0
        count = np.count_nonzero(some)
        return cls(rows[some], added[some], np.full(count, by, dtype=np.int8))

    def without(self, others: Changes) -> Changes:
        """Those of other rows."""
        new = ~np.isin(self.rows, others.rows)
        return Changes(self.rows[new], self.added[new], self.by[new])

    def taken_back(self) -> Changes:
        return Changes(self.rows, -self.added, self.by)


_NOTHING: Final = Changes(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int8))


def joined(parts: Iterable[Changes]) -> Changes:
    each = list(parts)
    return Changes(
        np.concatenate([part.rows for part in each]),
        np.concatenate([part.added for part in each]),
        np.concatenate([part.by for part in each]),
    )


def total(columns: Columns, worth: Array, cut: Cut) -> int:
    """The figure at a cut."""
    seen = standing_at(columns, cut) if "valid_to" in columns.arrays else begun_at(columns, cut)
    return exact_sum(worth[seen])


def changes(columns: Columns, worth: Array, thing: str, before: Cut, after: Cut) -> Changes:
    """What the figure's change is made of; see `Evident.between`. `thing` tells the column whose
    rows follow each other; rows without an end follow none."""
    parts = [
        part
        for start, end in _steps(before, after)
        for part in _turned(columns, worth, thing, start, end)
    ]
    return joined((_NOTHING, *parts))


def _steps(before: Cut, after: Cut) -> Iterator[tuple[Cut, Cut]]:
    """What was known of one context after the other, and then the instant."""
    at = before
    for context in sorted(before.known.keys() | after.known.keys()):
        known = {name: upto for name, upto in at.known.items() if name != context}
        if context in after.known:
            known[context] = after.known[context]
        start, at = at, Cut(before.as_of, known)
        if start.known.get(context) != known.get(context):
            yield start, at
    if at.as_of != after.as_of:
        yield at, after


def _turned(columns: Columns, worth: Array, thing: str, start: Cut, end: Cut) -> list[Changes]:
    """A step back is the step forward, taken back."""
    if _is_forward(start, end):
        return list(_step(columns, worth, thing, start, end))
    forward = _step(columns, worth, thing, end, start)
    return [part.taken_back() for part in forward]


def _is_forward(start: Cut, end: Cut) -> bool:
    if start.as_of != end.as_of:
        return start.as_of < end.as_of
    contexts = start.known.keys() | end.known.keys()
    return all(start.known.get(c, FOREVER) <= end.known.get(c, FOREVER) for c in contexts)


def _step(columns: Columns, worth: Array, thing: str, start: Cut, end: Cut) -> tuple[Changes, ...]:
    lasting = "valid_to" in columns.arrays
    if start.as_of != end.as_of:
        passed = _passed(columns, worth, thing, start, end) if lasting else None
        return (passed or _points(columns, worth, start, end),)
    if lasting:
        return _learned(columns, worth, thing, start, end)
    return _points_known(columns, worth, start, end)


def _passed(columns: Columns, worth: Array, thing: str, before: Cut, after: Cut) -> Changes:
    """Through time, at one state of knowledge."""
    lying = begun_at(columns, after) & (columns["valid_to"] > before.as_of)
    rows = _in_order(columns, np.flatnonzero(lying), thing, "valid_from")
    added = _differences(worth[rows], columns[thing][rows])
    stood = columns["valid_from"][rows] <= before.as_of
    return Changes.of(rows, np.where(stood, 0, added), EFFECT)


def _learned(
    columns: Columns, worth: Array, thing: str, before: Cut, after: Cut
) -> tuple[Changes, Changes]:
    """Through what was told, of one instant."""
    there = (columns["valid_from"] <= before.as_of) & (columns["valid_to"] > before.as_of)
    lying = there & _told(columns, after) & ~_ended(columns, before)
    rows = _in_order(columns, np.flatnonzero(lying), thing, "known_from")
    values, things = worth[rows], columns[thing][rows]
    begun = np.where(_told(columns, before)[rows], 0, _differences(values, things))
    last = np.ones(len(rows), dtype=np.bool_)
    last[:-1] = things[1:] != things[:-1]
    gone = last & _ended(columns, after)[rows]
    return Changes.of(rows, begun, NEWS), Changes.of(rows, np.where(gone, -values, 0), END)


def _points(columns: Columns, worth: Array, before: Cut, after: Cut) -> Changes:
    rows = np.flatnonzero(begun_at(columns, after) & (columns["valid_from"] > before.as_of))
    return Changes.of(rows, worth[rows], EFFECT)


def _points_known(
    columns: Columns, worth: Array, before: Cut, after: Cut
) -> tuple[Changes, Changes]:
    there = columns["valid_from"] <= before.as_of
    were, are = known(columns, before), known(columns, after)
    new, gone = np.flatnonzero(there & are & ~were), np.flatnonzero(there & were & ~are)
    return Changes.of(new, worth[new], NEWS), Changes.of(gone, -worth[gone], END)


def _in_order(columns: Columns, rows: Array, thing: str, by: str) -> Array:
    ordered: Array = rows[np.lexsort((columns[by][rows], columns[thing][rows]))]
    return ordered


def _differences(values: Array, things: Array) -> Array:
    """From each row of a thing to its next; the first one's from 0."""
    before = np.zeros_like(values)
    before[1:] = np.where(things[1:] == things[:-1], values[:-1], 0)
    difference: Array = values - before
    return difference


def _told(columns: Columns, cut: Cut) -> Mask:
    """Rows that had been told by the cut, believed still or not."""
    told = np.ones(columns.size, dtype=np.bool_)
    for context, upto in cut.known.items():
        told &= ~columns.is_word("context", context) | (columns["known_from"] <= upto)
    return told


def _ended(columns: Columns, cut: Cut) -> Mask:
    ended: Mask = columns["known_to"] < FOREVER
    for context, upto in cut.known.items():
        ended &= ~columns.is_word("context", context) | (columns["known_to"] <= upto)
    return ended


def behind(columns: Columns, worth: Array, thing: str, cut: Cut) -> Changes:
    """What made the things that count at a cut count as they do, from their beginning on."""
    whole = changes(columns, worth, thing, Cut(BEFORE_ALL, cut.known), cut)
    if "valid_to" not in columns.arrays:
        return whole
    counting = np.flatnonzero(standing_at(columns, cut) & (worth != 0))
    mine = np.zeros(columns.things[thing], dtype=np.bool_)
    mine[columns[thing][counting]] = True
    kept = mine[columns[thing][whole.rows]]
    return Changes(whole.rows[kept], whole.added[kept], whole.by[kept])
