"""The file of refused rows: what is wrong, then the cells as they were, to correct and repeat."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from crm_console.importing.errors import FileRefused
from crm_console.importing.reading.cells import guarded
from crm_console.importing.reading.headers import ERROR_COLUMNS
from crm_console.importing.result import RowError


class ErrorFile:
    """Writes UTF-8 CSV that spreadsheets open and the importer reads; no errors leave no file.

    `append` goes on after an import that was interrupted; otherwise an older file is replaced.
    """

    def __init__(self, path: Path, headers: Sequence[str], *, append: bool = False) -> None:
        self._path = path
        self._headers = (*ERROR_COLUMNS, *headers)
        self._append = append
        self._file: TextIO | None = None
        self.written = 0

    def __enter__(self) -> Self:
        try:
            if not self._append:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            raise FileRefused(f"Cannot write {self._path}: {error.strerror}.") from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._file:
            self._file.close()

    def write(self, error: RowError) -> None:
        """One line per refused row, with all that is wrong with it."""
        said = (str(error.line), error.column or "", error.value, error.reason)
        self._line((*said, *error.cells))
        self.written += 1

    def _line(self, cells: Sequence[str]) -> None:
        if self._file is None:
            self._file = self._opened()
        csv.writer(self._file).writerow([guarded(cell) for cell in cells])

    def _opened(self) -> TextIO:
        try:
            goes_on = self._path.exists() and self._path.stat().st_size > 0
            file = self._path.open("a", encoding="utf-8" if goes_on else "utf-8-sig", newline="")
        except OSError as error:
            raise FileRefused(f"Cannot write {self._path}: {error.strerror}.") from error
        if not goes_on:
            csv.writer(file).writerow(self._headers)
        return file
