"""One table's columns: an unchanging state of them for who asks, and the room they grow in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from crm_projections.columns.layout import Layout
from crm_projections.columns.rows import Rows
from crm_projections.columns.words import Numbering, Words

Array = NDArray[Any]
_WIDTHS: Final = (np.int16, np.int32, np.int64)
_ROOM: Final = 1.125


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows at one snapshot: a column by its name, words and things as numbers (see `words`)."""

    size: int
    arrays: Mapping[str, Array]
    words: Mapping[str, Words]
    things: Mapping[str, int]
    """How many things of each kind there are: their numbers are below it."""

    @property
    def nbytes(self) -> int:
        return sum(array.nbytes for array in self.arrays.values())

    def __getitem__(self, name: str) -> Array:
        return self.arrays[name]

    def is_word(self, name: str, word: Any) -> Array:
        """Where the column holds this word, or holds none for None."""
        mask: Array = self.arrays[name] == self.words[name].code_of(word)
        return mask


class Growing:
    """An array with room at its end, in the narrowest type that fits. What was given out before
    stays as it was: rows come behind it, or in another buffer."""

    def __init__(self) -> None:
        self._buffer: Array = np.empty(0, dtype=np.int16)
        self._size = 0

    @property
    def nbytes(self) -> int:
        return self._buffer.nbytes

    @property
    def values(self) -> Array:
        return self._buffer[: self._size]

    def append(self, values: Array) -> None:
        if not len(values):
            return
        size = self._size + len(values)
        dtype = max(_narrowest(values), self._buffer.dtype, key=lambda each: each.itemsize)
        if size > len(self._buffer) or dtype != self._buffer.dtype:
            room = size if not self._size else max(size, int(size * _ROOM))
            buffer = np.empty(room, dtype=dtype)
            buffer[: self._size] = self.values
            self._buffer = buffer
        self._buffer[self._size : size] = values
        self._size = size

    def replace(self, places: Array, values: Array) -> None:
        """Other values at some places, in a buffer of its own."""
        self._buffer = self._buffer.copy()
        self._buffer[places] = values


def _narrowest(values: Array) -> np.dtype[Any]:
    low, high = int(values.min()), int(values.max())
    for width in _WIDTHS:
        limits = np.iinfo(width)
        if limits.min <= low and high <= limits.max:
            return np.dtype(width)
    raise OverflowError(high)


class Frame:
    """The columns as they are kept up: rows that are new, and ends that were found. Not
    thread-safe; the `Columns` that it gives out are."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        names = (*layout.numbers, *layout.things, *layout.words)
        self._arrays = {name: Growing() for name in names}
        self._words = {name: Words() for name in layout.words}
        self._things = {name: Numbering("S16") for name in layout.things}
        self._rows = Numbering("i8")

    @property
    def nbytes(self) -> int:
        arrays = sum(growing.nbytes for growing in self._arrays.values())
        return arrays + self._rows.nbytes + sum(each.nbytes for each in self._things.values())

    def merge(self, rows: Rows) -> None:
        """Take rows: those that are here already are told their `known_to`, others are added."""
        if not len(rows):
            return
        size = len(self._rows)
        words = self._coded(rows)
        numbers = self._rows.coded(self._keys(rows, words["context"]))
        here, order = numbers < size, np.argsort(numbers)
        self._end(numbers[here], rows.numbers["known_to"][here])
        new = order[np.count_nonzero(here) :]
        for name, values in (rows.numbers | words).items():
            self._arrays[name].append(values[new])
        for name, ids in rows.things.items():
            self._arrays[name].append(self._things[name].coded(ids[new]))

    def _coded(self, rows: Rows) -> dict[str, Array]:
        return {
            name: self._words[name].coded(words)[places]
            for name, (words, places) in rows.words.items()
        }

    def _keys(self, rows: Rows, contexts: Array) -> Array:
        if self._layout.key is not None:
            return rows.numbers[self._layout.key]
        return rows.numbers["known_from"] * len(self._layout.contexts) + contexts

    def _end(self, places: Array, ends: Array) -> None:
        known_to = self._arrays["known_to"]
        changed = known_to.values[places] != ends
        if changed.any():
            known_to.replace(places[changed], ends[changed])

    def words(self) -> dict[str, list[Any]]:
        """The words of each column in the order of their codes, fit for JSON."""
        return {
            name: [str(word) if self._layout.is_id(name) else word for word in words.values]
            for name, words in self._words.items()
        }

    def parts(self) -> dict[str, Array]:
        """All arrays, by names of their own."""
        parts = {f"column.{name}": growing.values for name, growing in self._arrays.items()}
        numberings = {"": self._rows, **self._things}
        for name, numbering in numberings.items():
            parts[f"keys.{name}"], parts[f"codes.{name}"] = numbering.settled()
        return parts

    @classmethod
    def of(
        cls, layout: Layout, parts: Mapping[str, Array], words: Mapping[str, Sequence[Any]]
    ) -> Frame:
        """As `parts` and `words` told it. Raises KeyError where one is missing, ValueError where
        one is longer than another."""
        frame = cls(layout)
        for name, growing in frame._arrays.items():
            growing.append(parts[f"column.{name}"])
        for name in frame._things:
            frame._things[name] = Numbering.of(parts[f"keys.{name}"], parts[f"codes.{name}"])
        frame._rows = Numbering.of(parts["keys."], parts["codes."])
        if {len(growing.values) for growing in frame._arrays.values()} != {len(frame._rows)}:
            raise ValueError("columns of different lengths")
        for name, each in words.items():
            frame._words[name].coded(UUID(word) if layout.is_id(name) else word for word in each)
        return frame

    def keys_of(self, name: str) -> Array:
        """The keys of things, by their numbers."""
        keys, codes = self._things[name].settled()
        found = np.empty_like(keys)
        found[codes] = keys
        return found

    def columns(self) -> Columns:
        """As they are now, and stay."""
        arrays = {name: growing.values for name, growing in self._arrays.items()}
        things = {name: len(numbering) for name, numbering in self._things.items()}
        return Columns(len(self._rows), arrays, dict(self._words), things)
