"""Rows that are alike, counted and summed: exactly, in whole numbers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
_WIDEST: Final = 2**40
_SMALL: Final = 2**20
_SPARSE: Final = 16
_LOW: Final = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Alike:
    """Rows in classes: `values` tell what those of a class have alike, `of` the class of a row."""

    values: tuple[Array, ...]
    of: Array
    count: int

    def counts(self, where: Array | None = None) -> list[int]:
        """Rows of each class, or those of them that a mask takes."""
        of = self.of if where is None else self.of[where]
        found: list[int] = np.bincount(of, minlength=self.count).tolist()
        return found

    def sums(self, values: Array) -> list[int]:
        """Exact sums of each class."""
        return sums(self.of, values, self.count)

    def added(self, values: Array) -> Array:
        """Sums that fit into 64 bits."""
        return added(self.of, values, self.count)

    def rows(self) -> Iterator[tuple[int, ...]]:
        return zip(*(column.tolist() for column in self.values), strict=True)


def alike(*columns: Array) -> Alike:
    """Classes of rows that are equal in all these columns of whole numbers, in their order."""
    if not len(columns[0]):
        return Alike(tuple(column[:0] for column in columns), np.empty(0, np.int64), 0)
    codes, range_ = _from_zero(columns[0])
    for column in columns[1:]:
        values, width = _from_zero(column)
        if range_ * width > _WIDEST:
            codes, range_ = _compact(codes, range_)
        codes, range_ = codes * width + values, range_ * width
    classes, count = _compact(codes, range_)
    first = np.empty(count, dtype=np.int64)
    first[classes[::-1]] = np.arange(len(classes) - 1, -1, -1)
    return Alike(tuple(column[first] for column in columns), classes, count)


def _from_zero(column: Array) -> tuple[Array, int]:
    low = int(column.min())
    return column.astype(np.int64) - low, int(column.max()) - low + 1


def _compact(codes: Array, width: int) -> tuple[Array, int]:
    """The same classes, numbered without gaps."""
    if width <= max(_SMALL, _SPARSE * len(codes)):
        taken = np.zeros(width, dtype=np.bool_)
        taken[codes] = True
        present = np.flatnonzero(taken)
        numbers = np.empty(width, dtype=np.int64)  # what is not present is never touched
        numbers[present] = np.arange(len(present))
        return numbers[codes], len(present)
    unique, back = np.unique(codes, return_inverse=True)
    return back, len(unique)


def pairs(first: Array, second: Array) -> tuple[Array, Array]:
    """Every pair of two columns of numbers from 0 that occurs, once."""
    if not len(first):
        return first, second
    width = int(second.max()) + 1
    codes = first.astype(np.int64) * width + second
    size = (int(first.max()) + 1) * width
    if size <= max(_SMALL, _SPARSE * len(codes)):
        taken = np.zeros(size, dtype=np.bool_)
        taken[codes] = True
        found = np.flatnonzero(taken)
    else:
        codes = np.sort(codes)
        found = codes[np.flatnonzero(np.diff(codes, prepend=-1))]
    return found // width, found % width


def exact_sum(values: Array) -> int:
    """The sum of up to 2**31 whole numbers of 64 bits, however large it becomes."""
    return sums(np.zeros(len(values), dtype=np.int8), values, 1)[0]


def sums(classes: Array, values: Array, count: int) -> list[int]:
    """The sum of each class. Where 64 bits might not do, upper and lower halves are summed apart:
    neither of them can run over."""
    most = max(abs(int(values.max())), abs(int(values.min()))) if len(values) else 0
    if most * len(values) < 2**63:
        return _listed(added(classes, values, count))
    wide = values.astype(np.int64)
    high = _listed(added(classes, wide >> 32, count))
    low = _listed(added(classes, wide & _LOW, count))
    return [(upper << 32) + lower for upper, lower in zip(high, low, strict=True)]


def added(classes: Array, values: Array, count: int) -> Array:
    """The sum of each class, where all of them fit into 64 bits."""
    totals = np.zeros(count, dtype=np.int64)
    np.add.at(totals, *_at_full_width(classes, values))
    return totals


def _listed(values: Array) -> list[int]:
    found: list[int] = values.tolist()
    return found


def extremes(classes: Array, values: Array, count: int) -> tuple[Array, Array]:
    """The least and the greatest value of each class; of one without rows they cross over."""
    least = np.full(count, np.iinfo(np.int64).max)
    greatest = np.full(count, np.iinfo(np.int64).min)
    places, wide = _at_full_width(classes, values)
    np.minimum.at(least, places, wide)
    np.maximum.at(greatest, places, wide)
    return least, greatest


def least_of(classes: Array, values: Array, count: int) -> Array:
    """The least value of each class; of one without rows the greatest there is."""
    least = np.full(count, np.iinfo(np.int64).max)
    np.minimum.at(least, *_at_full_width(classes, values))
    return least


def _at_full_width(classes: Array, values: Array) -> tuple[Array, Array]:
    """numpy takes its slow way, thirty times slower, where it has to widen as it goes."""
    return classes.astype(np.intp, copy=False), values.astype(np.int64, copy=False)
