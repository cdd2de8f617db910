"""One file opened as one kind: understood as a whole first, then read row by row."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from crm_console.importing.fields.catalogue import kind_named
from crm_console.importing.fields.field import Kind
from crm_console.importing.mapping.resolve import resolve_mapping
from crm_console.importing.notes import notes_on
from crm_console.importing.options import ImportOptions
from crm_console.importing.plan import Plan
from crm_console.importing.reading.source import TextSource
from crm_console.importing.reading.table import Layout, Table
from crm_console.importing.repeated import Groups
from crm_console.importing.result import Counts, ImportRow, Note, RowError


class ImportFile:
    """A file whose columns are understood.

    `headers` are its columns, `records` counts its rows, `digest` is the SHA-256 of its bytes,
    `mapping` the columns and constants of each field, `notes` what was guessed or left out.
    """

    def __init__(self, kind: Kind, table: Table, options: ImportOptions) -> None:
        self.kind = kind
        self.path = table.source.path
        self.digest = table.source.digest
        self.headers = table.headers.names
        self.mapping = resolve_mapping(kind, self.headers, options.maps, options.constants)
        self._table = table
        self._plan = Plan(kind, table, self.mapping, options)
        self.records = self._plan.survey.records
        self.notes: tuple[Note, ...] = notes_on(kind, table, self.mapping, self._plan.survey)
        self.counts = Counts()
        self._groups = Groups(self._repeated(), self._plan.survey.repeated)

    def rows(self) -> Iterator[ImportRow | RowError]:
        """Every record in file order, each as a row or as an error. May be called again.

        `counts` is that of the pass begun last. Raises FileRefused if the file has changed.
        """
        self.counts = counts = Counts()
        marked = self._groups.of_a_pass().marked
        for result in self._results():
            counts.read += 1
            if isinstance(result, ImportRow):
                counts.accepted += 1
                yield marked(result)
            else:
                counts.refused += 1
                yield result

    def _results(self) -> Iterator[ImportRow | RowError]:
        return map(self._plan.row_reader().read, self._table.records())

    def _repeated(self) -> Iterator[ImportRow]:
        """Rows that may share a key; another pass over the file only if there are any."""
        results = self._results() if self._plan.survey.repeated else ()
        return (row for row in results if isinstance(row, ImportRow) and row.keyed)


def open_table(path: Path, kind: str, options: ImportOptions | None = None) -> ImportFile:
    """Reads the whole file once to understand it; raises FileRefused with the remedy."""
    options = options or ImportOptions()
    fields = kind_named(kind)
    layout = Layout(options.encoding, options.delimiter, options.header, options.columns)
    return ImportFile(fields, Table(TextSource(path, options.encoding), layout), options)
