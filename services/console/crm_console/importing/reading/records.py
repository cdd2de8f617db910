"""Records with the physical line they begin on; a broken one costs itself, not the rest."""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple

from crm_console.importing.reading.dialect import WHITESPACE


class Record(NamedTuple):
    """One record. `problem` is set when it could not be taken apart; `cells` is then raw text."""

    line: int
    cells: list[str]
    problem: str | None = None


_REASONS: Final = {
    "unexpected end of data": "a quotation mark opens here and is never closed",
    "field larger than field limit": "a quotation mark opens here and is never closed, "
    "or a cell is longer than 131,072 characters",
    "expected after": "a closing quotation mark is followed by more text; "
    'a quotation mark inside a quoted cell is written twice, ""',
}


class _LineFeed:
    """Hands lines to the parser and remembers those of the current record."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.taken: list[str] = []

    def __iter__(self) -> _LineFeed:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else next(self._lines)
        self.taken.append(line)
        return line

    def give_back_all_but_first(self) -> str:
        """After a broken record: its first line is spent, the following are read anew."""
        first = self.taken[0]
        self._again.extendleft(reversed(self.taken[1:]))
        self.taken.clear()
        return first


def read_records(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    """Every record of the file in order, blank ones too."""
    if delimiter == WHITESPACE:
        return (Record(number, line.split()) for number, line in enumerate(lines, 1))
    return _delimited(lines, delimiter)


def _delimited(lines: Iterator[str], delimiter: str) -> Iterator[Record]:
    feed = _LineFeed(lines)
    parser = csv.reader(feed, delimiter=delimiter, skipinitialspace=True, strict=True)
    line, taken = 1, feed.taken
    while True:
        try:
            cells = next(parser)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(line, [feed.give_back_all_but_first().rstrip("\r\n")], _reason(error))
            line += 1
            continue
        yield Record(line, cells)
        line += len(taken)
        taken.clear()


def _reason(error: csv.Error) -> str:
    text = str(error)
    return next((reason for part, reason in _REASONS.items() if part in text), text)
