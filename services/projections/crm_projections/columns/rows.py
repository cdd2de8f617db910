"""Rows out of SQL, as arrays by column."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(slots=True)
class Rows:
    """Rows as they were read: numbers, the bytes of ids, and of words each that occurs, once, with
    the place among them of every row's."""

    size: int
    numbers: dict[str, NDArray[np.int64]]
    things: dict[str, NDArray[np.bytes_]]
    words: dict[str, tuple[list[Any], NDArray[np.int32]]]

    def __len__(self) -> int:
        return self.size


class Occurring:
    """The words of one column, page after page."""

    def __init__(self) -> None:
        self._places: dict[Any, int] = {}
        self._pages: list[NDArray[np.int32]] = [np.empty(0, np.int32)]

    def add(self, page: Sequence[Any]) -> None:
        places = self._places
        for word in dict.fromkeys(page):
            places.setdefault(word, len(places))
        self._pages.append(np.fromiter(map(places.__getitem__, page), np.int32, len(page)))

    def add_alike(self, word: Any, count: int) -> None:
        place = self._places.setdefault(word, len(self._places))
        self._pages.append(np.full(count, place, np.int32))

    def all(self, made: Callable[[Any], Any]) -> tuple[list[Any], NDArray[np.int32]]:
        """Each word once, as it is made of what was read; None stays."""
        found = [None if word is None else made(word) for word in self._places]
        return found, np.concatenate(self._pages)
