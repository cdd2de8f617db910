"""Whether columns that were saved are those of a table.

A table that was restored from elsewhere, or went on from an earlier state, has other rows under the
same keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, text

from crm_projections.columns.frame import Array, Columns, Frame
from crm_projections.columns.layout import Layout
from crm_projections.columns.reading import read

_LAST, _SPREAD = 48, 48
_CHANGES: Final = "known_to"


def agrees(connection: Connection, layout: Layout, frame: Frame, floors: Mapping[str, int]) -> bool:
    """By the number of rows up to these sequences and two sums, and by all that some rows say: the
    last that were told, which any other history has otherwise, and some of every age."""
    columns = frame.columns()
    sums = all(
        _sums(connection, layout, context, floor) == _own_sums(layout, columns, context, floor)
        for context, floor in floors.items()
    )
    return sums and _same_rows(connection, layout, frame, columns)


def _sums(connection: Connection, layout: Layout, context: str, floor: int) -> list[int]:
    key = layout.key or "known_from"
    asked = (
        f'SELECT count(*), coalesce(sum("{key}"), 0), coalesce(sum(known_from), 0) '
        f'FROM "{layout.table.name}" WHERE context = :context AND known_from <= :floor'
    )
    row = connection.execute(text(asked), {"context": context, "floor": floor}).one()
    return [int(each) for each in row]


def _own_sums(layout: Layout, columns: Columns, context: str, floor: int) -> list[int]:
    mine = columns.is_word("context", context) & (columns["known_from"] <= floor)
    sums = [_sum(columns[name][mine]) for name in (layout.key or "known_from", "known_from")]
    return [int(np.count_nonzero(mine)), *sums]


def _sum(values: Array) -> int:
    return int(values.sum(dtype=np.int64))


def _same_rows(connection: Connection, layout: Layout, frame: Frame, columns: Columns) -> bool:
    some = _some(columns)
    if not len(some):
        return True
    there = Frame(layout)
    there.merge(read(connection, layout, _where(layout, columns, some)))
    every = np.arange(there.columns().size)
    return sorted(_said(there, every)) == sorted(_said(frame, some))


def _some(columns: Columns) -> Array:
    """Places of the rows that are compared."""
    last = np.argsort(columns["known_from"], kind="stable")[-_LAST:]
    spread = np.linspace(0, max(columns.size - 1, 0), min(_SPREAD, columns.size)).astype(np.int64)
    return np.unique(np.concatenate([last, spread]))


def _where(layout: Layout, columns: Columns, rows: Array) -> str:
    if layout.key is not None:
        return f'"{layout.key}" IN ({_listed(columns[layout.key][rows])})'
    words = columns.words["context"]
    of_context = {
        context: rows[columns["context"][rows] == words.code_of(context)]
        for context in words.values
    }
    return " OR ".join(
        f"(context = '{context}' AND known_from IN ({_listed(columns['known_from'][mine])}))"
        for context, mine in of_context.items()
        if len(mine)
    )


def _listed(values: Array) -> str:
    return ", ".join(map(str, values.tolist()))


def _said(frame: Frame, rows: Array) -> Iterator[tuple[str, ...]]:
    """What rows say in words, but for what may have changed since."""
    columns = frame.columns()
    told = [
        _in_words(frame, columns, name, rows) for name in sorted(columns.arrays) if name != _CHANGES
    ]
    return zip(*told, strict=True)


def _in_words(frame: Frame, columns: Columns, name: str, rows: Array) -> list[str]:
    values = columns[name][rows].tolist()
    said: Any = str
    if name in columns.words:
        said = columns.words[name].value_of
    elif name in columns.things:
        said = frame.keys_of(name).__getitem__
    return [repr(said(value)) for value in values]
