"""Rows out of SQL as arrays: PostgreSQL's binary COPY is cut by numpy, SQLite's rows by column."""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection

from crm_projections.columns.layout import Layout

_AT_ONCE: Final = 50_000
_COPY_HEADER: Final = 19
_COPY_END: Final = 2
_LENGTH: Final = struct.Struct(">i")
Words = tuple[Any, ...]


@dataclass(slots=True)
class Rows:
    """Rows as they were read: numbers and the bytes of ids by column; of words every combination
    that occurs, once, and which one each row has."""

    numbers: dict[str, NDArray[np.int64]]
    things: dict[str, NDArray[np.bytes_]]
    combinations: list[Words]
    combination: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.combination)


def read(connection: Connection, layout: Layout, where: str) -> Rows:
    """The rows that meet a condition, as the connection's snapshot shows them."""
    if connection.dialect.name == "postgresql":
        return _Copying(layout).read(connection, where)
    return _Fetching(layout).read(connection, where)


class _Fetching:
    """Rows of SQLite, in which an id is 32 hexadecimal digits."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._numbers = len(layout.numbers)
        self._words = self._numbers + len(layout.things)

    def read(self, connection: Connection, where: str) -> Rows:
        combinations: dict[Words, int] = {}
        numbered = array("i")
        numbers: list[NDArray[np.int64]] = []
        things: list[list[bytes]] = [[] for _ in self._layout.things]
        for rows in _some(_fetched(connection, self._layout.select(where))):
            numbers.append(np.array([row[: self._numbers] for row in rows], dtype=np.int64))
            for place, thing in enumerate(things, self._numbers):
                thing.append(bytes.fromhex("".join([row[place] for row in rows])))
            words = [row[self._words :] for row in rows]
            numbered.extend([combinations.setdefault(w, len(combinations)) for w in words])
        columns = zip(self._layout.numbers, _columns(numbers, self._numbers), strict=True)
        return Rows(
            dict(columns),
            dict(zip(self._layout.things, map(_ids, things), strict=True)),
            [self._told(words) for words in combinations],
            np.array(numbered, dtype=np.int32),
        )

    def _told(self, words: Words) -> Words:
        named = zip(self._layout.words, words, strict=True)
        return tuple(
            UUID(word) if word is not None and self._layout.is_id(name) else word
            for name, word in named
        )


def _fetched(connection: Connection, statement: str) -> Iterator[Any]:
    cursor = connection.connection.cursor()
    try:
        cursor.execute(statement)
        while rows := cursor.fetchmany(_AT_ONCE):
            yield from rows
    finally:
        cursor.close()


def _some(rows: Iterable[Any]) -> Iterator[list[Any]]:
    each = iter(rows)
    while found := list(islice(each, _AT_ONCE)):
        yield found


def _ids(parts: Sequence[bytes]) -> NDArray[np.bytes_]:
    return np.frombuffer(b"".join(parts), "S16")


def _columns(blocks: Sequence[NDArray[np.int64]], width: int) -> NDArray[np.int64]:
    whole = np.concatenate(blocks) if blocks else np.empty((0, width), dtype=np.int64)
    return np.ascontiguousarray(whole.T)


class _Copying:
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
        return Rows(
            {n: _column(blocks, n).astype(np.int64) for n in self._layout.numbers},
            {n: _column(blocks, n).astype("S16") for n in self._layout.things},
            [self._told(words) for words in combinations],
            np.array(numbered, dtype=np.int32),
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
