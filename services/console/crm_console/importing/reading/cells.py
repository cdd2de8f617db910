"""Single cells: outer blanks removed, and the quote that keeps a spreadsheet from running them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_ACTIVE: Final = re.compile(r"'*[=+\-@]")
_QUOTED: Final = re.compile(r"'+[=+\-@]")


def clean_cells(cells: Iterable[str]) -> list[str]:
    """Stripped, and one level of `'` before `= + - @` undone, as `guarded` put it there."""
    return [_unguarded(cell) if cell[:1] == "'" else cell for cell in map(str.strip, cells)]


def guarded(cell: str) -> str:
    """The cell as text that no spreadsheet takes for a formula; `clean_cells` undoes it."""
    return "'" + cell if _ACTIVE.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if _QUOTED.match(cell) else cell
