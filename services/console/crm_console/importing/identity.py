"""Which thing a row is: by its key, by its name, or, without either, by being that row."""

from __future__ import annotations

import hashlib
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final

from crm_events.names import folded

from crm_console.importing.fields.field import Kind
from crm_console.importing.mapping.resolve import FieldMapping
from crm_console.importing.values.text import one_line

_SEPARATOR: Final = "\x1f"
_SORTED_AT_ONCE: Final = 1_000_000
_LONGEST_KEY: Final = 200


class Identity:
    """How the rows of one file are told apart.

    `keyed` is true when a key, or the name of a thing that is known by its name, identifies the
    row; otherwise all of its cells do, with how many equal rows came before it in the file.
    """

    def __init__(self, kind: Kind, mapping: FieldMapping) -> None:
        self._key = mapping.columns.get("key")
        self._name = mapping.columns.get(kind.named_by) if kind.named_by else None
        self.keyed = self._key is not None or self._name is not None

    def text(self, cells: Sequence[str]) -> str:
        """Equal for rows that are one thing, blanks and forms of letters apart."""
        if self._key is not None:
            return one_line(joined(cells, self._key))
        if self._name is not None:
            return _short(folded(joined(cells, self._name)))
        return _SEPARATOR.join(map(one_line, cells))


class Repeats:
    """Numbers equal rows. Holds only those that occur again, so that memory stays small."""

    def __init__(self, repeated: frozenset[int]) -> None:
        self._repeated = repeated
        self._seen: Counter[bytes] = Counter()

    def key(self, text: str) -> str:
        """The row's hash and its occurrence number, from 1."""
        digest = hashlib.sha256(text.encode())
        occurrence = 1
        if hash(text) in self._repeated:
            self._seen[digest.digest()] += 1
            occurrence = self._seen[digest.digest()]
        return f"{digest.hexdigest()}:{occurrence}"


class Fingerprints:
    """Eight bytes per row of a first pass, to find the few rows that occur more than once."""

    def __init__(self) -> None:
        self._hashes = array("q")

    def add(self, text: str) -> None:
        self._hashes.append(hash(text))

    def repeated(self) -> frozenset[int]:
        """Hashes that occur more than once; found in parts, to bound the memory it takes."""
        parts = 1 + len(self._hashes) // _SORTED_AT_ONCE
        return frozenset(
            one for part in range(parts) for one in _repeated(sorted(self._part(part, parts)))
        )

    def _part(self, part: int, parts: int) -> Iterator[int]:
        if parts == 1:
            return iter(self._hashes)
        return (one for one in self._hashes if one % parts == part)


def joined(cells: Sequence[str], indices: tuple[int, ...]) -> str:
    """The cell, or the filled ones of several joined by a blank."""
    if len(indices) == 1:
        return cells[indices[0]]
    return " ".join(cells[index] for index in indices if cells[index])


def _short(name: str) -> str:
    """A name that is too long for a key stands there as its hash."""
    return name if len(name) <= _LONGEST_KEY else hashlib.sha256(name.encode()).hexdigest()


def _repeated(hashes: Sequence[int]) -> Iterator[int]:
    return (one for one, following in pairwise(hashes) if one == following)
