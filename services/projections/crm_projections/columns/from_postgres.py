"""Rows of PostgreSQL's binary COPY, cut by numpy."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from crm_projections.columns.layout import Layout
from crm_projections.columns.rows import Rows

_AT_ONCE: Final = 50_000
_COPY_HEADER: Final = 19
_COPY_END: Final = 2
_LENGTH: Final = struct.Struct(">i")
Words = tuple[Any, ...]


class Copying:
    """Rows of COPY in PostgreSQL's binary form, a message each. Numbers and things are of a fixed
    length and come first; the words behind them are taken as one piece and read once."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        fixed: list[tuple[str, str]] = [("", ">i2")]
        for name in layout.numbers:
            fixed += [(f"#{name}", ">i4"), (name, ">i8")]
        for name in layout.things:
            fixed += [(f"#{name}", ">i4"), (name, "S16")]
        self._fixed = np.dtype(fixed)

    def read(self, connection: Connection, where: str) -> Rows:
        combinations: dict[bytes, int] = {}
        numbered = array("i")
        blocks: list[NDArray[Any]] = [np.empty(0, self._fixed)]
        width = self._fixed.itemsize
        for rows in _some(_copied(connection, self._layout.select(where))):
            blocks.append(np.frombuffer(b"".join([row[:width] for row in rows]), self._fixed))
            words = [row[width:] for row in rows]
            numbered.extend([combinations.setdefault(w, len(combinations)) for w in words])
        told = [self._told(words) for words in combinations]
        combination = np.array(numbered, dtype=np.int32)
        return Rows(
            len(combination),
            {n: _column(blocks, n).astype(np.int64) for n in self._layout.numbers},
            {n: _column(blocks, n).astype("S16") for n in self._layout.things},
            {
                name: ([words[place] for words in told], combination)
                for place, name in enumerate(self._layout.words)
            },
        )

    def _told(self, words: bytes) -> Words:
        found: list[Any] = []
        place = 0
        for name in self._layout.words:
            (length,) = _LENGTH.unpack_from(words, place)
            place += _LENGTH.size
            if length < 0:
                found.append(None)
                continue
            word = words[place : place + length]
            found.append(UUID(bytes=word) if self._layout.is_id(name) else word.decode())
            place += length
        return tuple(found)


def _column(blocks: Sequence[NDArray[Any]], name: str) -> NDArray[Any]:
    return np.concatenate([block[name] for block in blocks])


def _copied(connection: Connection, statement: str) -> Iterator[bytes]:
    """The server sends a message for each row, the first behind a header, and one for the end."""
    cursor = connection.connection.cursor()
    try:
        with cursor.copy(f"COPY ({statement}) TO STDOUT (FORMAT binary)") as copy:
            start = _COPY_HEADER
            for message in copy:
                row = bytes(message)[start:]
                start = 0
                if len(row) > _COPY_END:
                    yield row
    finally:
        cursor.close()


def _some(rows: Iterable[Any]) -> Iterator[list[Any]]:
    each = iter(rows)
    while found := list(islice(each, _AT_ONCE)):
        yield found
