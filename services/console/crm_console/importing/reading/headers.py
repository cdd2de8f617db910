"""Column names that are unique and never empty, whatever the file's first line says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

ERROR_COLUMNS: Final = ("error_line", "error_column", "error_value", "error_reason")
"""Lead every error file; a corrected error file is recognised by them and read without them."""


@dataclass(frozen=True, slots=True)
class Headers:
    """The names of the data columns; the first `skipped` cells of each record are not data."""

    names: tuple[str, ...]
    renamed: tuple[tuple[str, str], ...] = ()
    skipped: int = 0


def unique_headers(cells: Sequence[str]) -> Headers:
    """Empty names become `column3`, the second `name` becomes `name (2)`."""
    is_error_file = tuple(cells[: len(ERROR_COLUMNS)]) == ERROR_COLUMNS
    skipped = len(ERROR_COLUMNS) if is_error_file else 0
    names: dict[str, str] = {}
    for position, given in enumerate(cells[skipped:], 1):
        wanted = given or f"column{position}"
        names[_free(wanted, names)] = given
    renamed = tuple((given, name) for name, given in names.items() if name != given)
    return Headers(tuple(names), renamed, skipped)


def numbered_headers(width: int) -> Headers:
    """`column1`, `column2`... for a file whose first line is data."""
    return Headers(tuple(f"column{position}" for position in range(1, width + 1)))


def _free(wanted: str, taken: dict[str, str]) -> str:
    name, number = wanted, 1
    while name in taken:
        number += 1
        name = f"{wanted} ({number})"
    return name
