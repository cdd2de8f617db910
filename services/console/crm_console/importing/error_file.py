"""The file of refused rows: what is wrong, then the cells as they were, to correct and repeat."""

from __future__ import annotations

import csv
import os
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

    `keep` goes on after an import that was interrupted when the file had so many bytes: what was
    written beyond them is written again. Without it an older file is replaced. Without a path
    the rows are counted only.
    """

    def __init__(self, path: Path | None, headers: Sequence[str], *, keep: int = 0) -> None:
        self._path = path
        self._headers = (*ERROR_COLUMNS, *headers)
        self._keep = keep
        self._file: TextIO | None = None
        self.written = 0

    def __enter__(self) -> Self:
        if self._path is None:
            return self
        try:
            if not self._keep:
                self._path.unlink(missing_ok=True)
            elif self.size() > self._keep:
                os.truncate(self._path, self._keep)
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
        if self._path is not None:
            self._line(self._path, (*said, *error.cells))
        self.written += 1

    def size(self) -> int:
        """How many bytes are in the file now, whatever becomes of this process."""
        if self._file is not None:
            self._file.flush()
        return self._path.stat().st_size if self._path is not None and self._path.exists() else 0

    def _line(self, path: Path, cells: Sequence[str]) -> None:
        if self._file is None:
            self._file = self._opened(path)
        csv.writer(self._file).writerow([guarded(cell) for cell in cells])

    def _opened(self, path: Path) -> TextIO:
        try:
            goes_on = self.size() > 0
            file = path.open("a", encoding="utf-8" if goes_on else "utf-8-sig", newline="")
        except OSError as error:
            raise FileRefused(f"Cannot write {path}: {error.strerror}.") from error
        if not goes_on:
            csv.writer(file).writerow(self._headers)
        return file
