"""Finding columns by the names people type: exactly, else ignoring case, spaces and punctuation."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence
from typing import Final

from crm_console.importing.fields.field import folded_header
from crm_console.importing.values.currencies import currency_of

_BRACKET: Final = re.compile(r"\s*[(\[（【]([^)\]）】]*)[)\]）】]$")
_SAYS_NO_MORE: Final = frozenset(
    (
        "yn",
        "yesno",
        "truefalse",
        "15",
        "15星",
        "utc",
        "required",
        "optional",
        "必填",
        "选填",
        "是否",
    )
)


class ColumnRefused(ValueError):
    """No column, or more than one, has this name; the text says which there are."""


class Columns:
    """The columns of one table by name."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._exact = {name: index for index, name in enumerate(self.names)}
        self._folded: dict[str, list[int]] = {}
        for index, name in enumerate(self.names):
            for folded in {folded_header(name), folded_header(without_unit(name))}:
                self._folded.setdefault(folded, []).append(index)

    def parts(self, wanted: str) -> tuple[int, ...]:
        """The column of that name, else the columns of the names that `+` joins."""
        if wanted in self._exact or "+" not in wanted:
            return (self.index(wanted),)
        return tuple(self.index(part.strip()) for part in wanted.split("+"))

    def index(self, wanted: str) -> int:
        """The column's position, from 0; raises ColumnRefused."""
        if wanted in self._exact:
            return self._exact[wanted]
        found = self.like(wanted)
        if len(found) == 1:
            return found[0]
        if found:
            raise ColumnRefused(f"columns {self._quoted(found)} all answer to {wanted!r}")
        raise ColumnRefused(f"there is no column {wanted!r}{self._nearest(wanted)}")

    def like(self, wanted: str) -> list[int]:
        """Columns of that name, ignoring case, spaces and punctuation."""
        folded = folded_header(wanted)
        return self._folded.get(folded, []) if folded else []

    def _quoted(self, indices: Sequence[int]) -> str:
        return ", ".join(repr(self.names[index]) for index in indices)

    def _nearest(self, wanted: str) -> str:
        near = difflib.get_close_matches(wanted, self.names, n=1)
        return f"; did you mean {near[0]!r}?" if near else ""


def without_unit(header: str) -> str:
    """`Amount (USD)` is `Amount`, but `Revenue (millions)` stays: its numbers mean more."""
    found = _BRACKET.search(header)
    if found and (currency_of(found[1]) or folded_header(found[1]) in _SAYS_NO_MORE):
        return header[: found.start()]
    return header


def currency_in_header(header: str) -> str | None:
    """The currency that `Amount (USD)` or `金额（元）` names."""
    found = _BRACKET.search(header)
    return currency_of(found[1]) if found else None
