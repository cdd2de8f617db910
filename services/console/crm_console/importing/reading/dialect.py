"""Which character separates the cells, judged by how evenly it divides the first records."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from typing import Final

from crm_console.importing.errors import FileRefused

WHITESPACE: Final = " "
"""Cells separated by any run of blanks, as in fixed-width listings."""
_CANDIDATES: Final = (",", ";", "\t", "|")
_NAMED: Final = {
    "comma": ",",
    "semicolon": ";",
    "tab": "\t",
    "\\t": "\t",
    "pipe": "|",
    "space": WHITESPACE,
}
_SAMPLE_LINES: Final = 200
_SAMPLE_CHARACTERS: Final = 200_000
_NUMBER: Final = re.compile(r"[-+]?[0-9][0-9.,:/-]*")


def named_delimiter(name: str) -> str:
    """The delimiter a person asked for, by its character or its name."""
    delimiter = _NAMED.get(name.casefold(), name)
    if delimiter not in (*_CANDIDATES, WHITESPACE):
        raise FileRefused(
            f"Unknown delimiter {name!r}.", "Use comma, semicolon, tab, pipe or space."
        )
    return delimiter


def sniffed_delimiter(lines: Iterable[str]) -> str:
    """The candidate that gives most records as many cells as the first; comma when none does."""
    sample = _sample(lines)
    scores = {candidate: _score(sample, candidate) for candidate in _CANDIDATES}
    best = max(_CANDIDATES, key=lambda candidate: scores[candidate])
    if scores[best] > (0.0, 0):
        return best
    return WHITESPACE if _is_blank_separated(sample) else ","


def _sample(lines: Iterable[str]) -> list[str]:
    sample: list[str] = []
    size = 0
    for line in islice(lines, _SAMPLE_LINES):
        sample.append(line)
        size += len(line)
        if size > _SAMPLE_CHARACTERS:
            break
    return sample


def _score(sample: Sequence[str], delimiter: str) -> tuple[float, int]:
    """(share of records as wide as the first, its width); nothing for a single column."""
    try:
        widths = [
            len(cells)
            for cells in csv.reader(sample, delimiter=delimiter, skipinitialspace=True)
            if any(cell.strip() for cell in cells)
        ]
    except csv.Error:
        return 0.0, 0
    if not widths or widths[0] < 2:
        return 0.0, 0
    return widths.count(widths[0]) / len(widths), widths[0]


def _is_blank_separated(sample: Sequence[str]) -> bool:
    """Every record as wide as the first, and one column all numbers: a listing, not sentences."""
    records = [line.split() for line in sample if line.strip()]
    if len(records) < 2 or len(records[0]) < 2:
        return False
    if any(len(cells) != len(records[0]) for cells in records):
        return False
    columns = zip(*records[1:], strict=True)
    return any(all(_NUMBER.fullmatch(cell) for cell in column) for column in columns)
