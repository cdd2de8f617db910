"""Rows of SQLite, each column of a page as one text: the driver's objects would cost the most."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final
from uuid import UUID

import numpy as np
import orjson
from numpy.typing import NDArray
from sqlalchemy import Connection

from crm_projections.columns.layout import NOTHING, Layout
from crm_projections.columns.rows import Occurring, Rows

_AT_ONCE: Final = 50_000
_ALL: Final = "true"


class Gathering:
    """Reads rows of one layout. All aggregates of a statement take the rows in one order, whichever
    that is; an id is 32 hexadecimal digits."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        columns = [
            "count(*)",
            *(f"group_concat({self._number(name)})" for name in layout.numbers),
            *(f"group_concat(\"{name}\", '')" for name in layout.things),
            *(f'json_group_array("{name}")' for name in layout.words),
        ]
        self._select = f'SELECT {", ".join(columns)} FROM "{layout.table.name}" WHERE '

    def _number(self, name: str) -> str:
        nullable = self._layout.table.c[name].nullable
        return f'coalesce("{name}", {NOTHING})' if nullable else f'"{name}"'

    def read(self, connection: Connection, where: str) -> Rows:
        layout, pages = self._layout, _Pages(self._layout)
        cursor: Any = connection.connection.cursor()
        try:
            for condition in self._parts(cursor, where):
                cursor.execute(self._select + condition)
                pages.add(cursor.fetchone())
        finally:
            cursor.close()
        return Rows(
            pages.size,
            {name: _whole(pages.numbers[name]) for name in layout.numbers},
            {name: np.frombuffer(b"".join(pages.things[name]), "S16") for name in layout.things},
            {n: each.all(UUID if layout.is_id(n) else str) for n, each in pages.words.items()},
        )

    def _parts(self, cursor: Any, where: str) -> Iterator[str]:
        """All rows by pieces of the table; some, which indexes find, at once."""
        if where != _ALL:
            yield where
            return
        table = self._layout.table.name
        ends = [f'(SELECT {end}(rowid) FROM "{table}")' for end in ("min", "max")]
        first, last = cursor.execute(f"SELECT {', '.join(ends)}").fetchone()
        if first is not None:
            for start in range(first, last + 1, _AT_ONCE):
                yield f"rowid BETWEEN {start} AND {start + _AT_ONCE - 1}"


class _Pages:
    def __init__(self, layout: Layout) -> None:
        self.size = 0
        self.numbers: dict[str, list[NDArray[np.int64]]] = {name: [] for name in layout.numbers}
        self.things: dict[str, list[bytes]] = {name: [] for name in layout.things}
        self.words = {name: Occurring() for name in layout.words}

    def add(self, row: tuple[Any, ...]) -> None:
        """Raises ValueError where a text does not hold as many numbers as there are rows."""
        count, *texts = row
        if not count:
            return
        self.size += count
        each = iter(texts)
        for pages in self.numbers.values():
            pages.append(_numbers(next(each), count))
        for ids in self.things.values():
            ids.append(bytes.fromhex(next(each)))
        for words in self.words.values():
            _add_words(words, next(each), count)


def _numbers(text: str, count: int) -> NDArray[np.int64]:
    found = np.fromstring(text, np.int64, sep=",")
    if len(found) != count:
        raise ValueError(f"{count} rows hold {len(found)} numbers")
    return found


def _add_words(words: Occurring, text: str, count: int) -> None:
    """Of a column that is the same in all rows only one is read."""
    one = text[1 : (len(text) - 1) // count]
    if text == f"[{','.join([one] * count)}]":
        with suppress(orjson.JSONDecodeError):
            words.add_alike(orjson.loads(one), count)
            return
    words.add(orjson.loads(text))


def _whole(pages: list[NDArray[np.int64]]) -> NDArray[np.int64]:
    return np.concatenate([np.empty(0, np.int64), *pages])
