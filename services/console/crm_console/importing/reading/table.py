"""A file as a header and the records under it, each as wide as the header or marked as broken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from crm_console.importing.errors import FileRefused
from crm_console.importing.reading.cells import clean_cells
from crm_console.importing.reading.dialect import named_delimiter, sniffed_delimiter
from crm_console.importing.reading.headers import Headers, numbered_headers, unique_headers
from crm_console.importing.reading.records import Record, read_records
from crm_console.importing.reading.source import TextSource


@dataclass(frozen=True, slots=True)
class Layout:
    """What a person may say about the file's form. `columns` names those of a headerless file."""

    encoding: str | None = None
    delimiter: str | None = None
    header: bool = True
    columns: tuple[str, ...] = ()


class Table:
    """Reads a file as often as needed; holds one record at a time."""

    def __init__(self, source: TextSource, layout: Layout) -> None:
        self.source = source
        named = layout.delimiter
        self.delimiter = named_delimiter(named) if named else sniffed_delimiter(source.lines())
        self._has_header = layout.header and not layout.columns
        self.headers = self._headers(layout)
        self._header_cells = list(self.headers.names) if self._has_header else None

    def records(self) -> Iterator[Record]:
        """Every record that is not blank, cells stripped, in file order."""
        records = self._filled()
        if self._has_header:
            next(records, None)
        return map(self._fitted, records)

    def _filled(self) -> Iterator[Record]:
        for line, raw, problem in read_records(self.source.lines(), self.delimiter):
            cells = clean_cells(raw)
            if any(cells):
                yield Record(line, cells, problem)

    def _headers(self, layout: Layout) -> Headers:
        first = next(self._filled(), None)
        if first is None:
            raise FileRefused(f"{self.source.path} holds no records.")
        if layout.columns:
            return unique_headers([name.strip() for name in layout.columns])
        if not layout.header:
            return numbered_headers(len(first.cells))
        if first.problem:
            raise FileRefused(f"The header on line {first.line} is broken: {first.problem}.")
        return unique_headers(first.cells)

    def _fitted(self, record: Record) -> Record:
        if record.problem:
            return record
        skipped, width = self.headers.skipped, len(self.headers.names)
        cells = record.cells[skipped:] if skipped else record.cells
        if len(cells) > width and not any(cells[width:]):
            cells = cells[:width]
        return Record(record.line, cells, self._problem(cells, width))

    def _problem(self, cells: list[str], width: int) -> str | None:
        if len(cells) != width:
            return f"has {len(cells)} cells where the header has {width}"
        if "\0" in "".join(cells):
            return "holds a NUL character"
        if cells == self._header_cells:
            return "repeats the header"
        return None
