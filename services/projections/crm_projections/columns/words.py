"""Values as numbers: words of a column in the order they appeared, keys by their bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Codes = NDArray[np.int32]
ABSENT: Final = -1
"""The code of None."""
UNHEARD: Final = -2
"""The code of what no row holds; it equals no row's."""
_TAIL: Final = 50_000
_ENTRY_BYTES: Final = 150


class Words:
    """The values of one column, numbered from 0. It only grows, so whoever read it may go on
    while others add to it."""

    def __init__(self) -> None:
        self._values: list[Any] = []
        self._codes: dict[Any, int] = {None: ABSENT}

    def __len__(self) -> int:
        return len(self._values)

    def coded(self, values: Iterable[Any]) -> Codes:
        return np.fromiter((self._taken(value) for value in values), dtype=np.int32)

    def _taken(self, value: Any) -> int:
        code = self._codes.get(value)
        if code is None:
            code = len(self._values)
            self._values.append(value)
            self._codes[value] = code
        return code

    def code_of(self, value: Any) -> int:
        """UNHEARD where the column does not hold it."""
        return self._codes.get(value, UNHEARD)

    @property
    def values(self) -> tuple[Any, ...]:
        """In the order of their codes."""
        return tuple(self._values)

    def value_of(self, code: int) -> Any:
        return None if code == ABSENT else self._values[code]


class Numbering:
    """Keys of one numpy type, numbered from 0 without gaps: those that a call brings anew in their
    own order, behind all that were there. Not thread-safe."""

    def __init__(self, dtype: str) -> None:
        self._dtype = dtype
        self._sorted: NDArray[Any] = np.empty(0, dtype=dtype)
        self._codes: Codes = np.empty(0, dtype=np.int32)
        self._tail: dict[Any, int] = {}

    def __len__(self) -> int:
        return len(self._sorted) + len(self._tail)

    @property
    def nbytes(self) -> int:
        return self._sorted.nbytes + self._codes.nbytes + _ENTRY_BYTES * len(self._tail)

    def settled(self) -> tuple[NDArray[Any], Codes]:
        """All keys in their order, and the number of each."""
        if self._tail:
            tail, self._tail = self._tail, {}
            self._merge(
                np.array(list(tail), dtype=self._dtype),
                np.fromiter(tail.values(), dtype=np.int32, count=len(tail)),
            )
        return self._sorted, self._codes

    @classmethod
    def of(cls, keys: NDArray[Any], codes: Codes) -> Numbering:
        """As `settled` told it."""
        found = cls(keys.dtype.str)
        found._sorted, found._codes = keys, codes
        return found

    def coded(self, keys: NDArray[Any]) -> Codes:
        """A number for each key."""
        unique, back = np.unique(keys, return_inverse=True)
        found: Codes = self._of(unique)[back]
        return found

    def _of(self, keys: NDArray[Any]) -> Codes:
        places = np.searchsorted(self._sorted, keys)
        known = places < len(self._sorted)
        known[known] = self._sorted[places[known]] == keys[known]
        codes = np.empty(len(keys), dtype=np.int32)
        codes[known] = self._codes[places[known]]
        if not known.all():
            codes[~known] = self._beyond(keys[~known])
        return codes

    def _beyond(self, keys: NDArray[Any]) -> Codes:
        """Of keys that the sorted part does not hold."""
        if len(self._tail) + len(keys) < _TAIL:
            first, tail = len(self._sorted), self._tail
            taken = (tail.setdefault(key, first + len(tail)) for key in keys.tolist())
            return np.fromiter(taken, dtype=np.int32, count=len(keys))
        if self._tail:
            self.settled()
            return self._of(keys)
        codes = np.arange(len(self), len(self) + len(keys), dtype=np.int32)
        self._merge(keys, codes)
        return codes

    def _merge(self, keys: NDArray[Any], codes: Codes) -> None:
        every, numbers = np.concatenate([self._sorted, keys]), np.concatenate([self._codes, codes])
        order = np.argsort(every)
        self._sorted, self._codes = every[order], numbers[order]
