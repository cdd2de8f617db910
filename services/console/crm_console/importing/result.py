"""What comes out of a file: rows, and errors that say what to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from crm_console.importing.values.reading import JSON


class Problem(NamedTuple):
    """One thing wrong with a row. `column` is None when it is the row as a whole."""

    column: str | None
    value: str
    reason: str
    remedy: str = ""

    def __str__(self) -> str:
        where = f"{self.column}: " if self.column else ""
        shown = f"{self.value!r} " if self.value else ""
        return f"{where}{shown}{self.reason}" + (f". {self.remedy}" if self.remedy else "")


@dataclass(frozen=True, slots=True)
class ImportRow:
    """One row, ready to become a command.

    `key` identifies the thing within its source and kind; with `keyed` false it is the row's own
    hash and occurrence. Equal `row_hash` means that nothing changed. `values` has every mapped
    field: null where the file leaves it empty; a field that is not there is one the file does
    not speak of. Times are ISO 8601 in UTC, those in `date_only` are local midnights of a day.
    Amounts and numbers are exact decimal text.
    """

    line: int
    key: str
    keyed: bool
    row_hash: str
    values: dict[str, JSON]
    date_only: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    """The cells as they were, for the error file should the row be refused later."""
    settled: str | None = None
    """With more rows to come under this key: the hash of the last, which stands for them all."""


@dataclass(frozen=True, slots=True)
class RowError:
    """One row that stays out, with everything wrong with it and its cells as they were."""

    line: int
    problems: tuple[Problem, ...]
    cells: tuple[str, ...]

    @property
    def column(self) -> str | None:
        """The columns at fault, None when it is the row as a whole."""
        named = dict.fromkeys(problem.column for problem in self.problems if problem.column)
        return "; ".join(named) or None

    @property
    def value(self) -> str:
        return "; ".join(problem.value for problem in self.problems if problem.value)

    @property
    def reason(self) -> str:
        """All reasons with their remedies, as one text."""
        if len(self.problems) == 1:
            return str(self.problems[0]._replace(column=None, value=""))
        return "; ".join(map(str, self.problems))


@dataclass(frozen=True, slots=True)
class Note:
    """Something a person should know about how the file was understood."""

    about: str
    text: str


@dataclass(slots=True)
class Counts:
    """Bookkeeping of one pass: `read` is always `accepted` + `refused`."""

    read: int = 0
    accepted: int = 0
    refused: int = 0
