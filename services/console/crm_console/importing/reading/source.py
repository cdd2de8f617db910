"""A file that can be read twice, as text lines, with proof that it did not change in between."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, Final

from crm_console.importing.errors import FileRefused
from crm_console.importing.reading.encoding import checked_encoding, detect_encoding

LONGEST_LINE: Final = 1 << 20
"""In characters. A longer line means that the file is no table; it would not fit memory."""


class TextSource:
    """The lines of one file. A pipe is copied to a temporary file first, to be read twice."""

    def __init__(self, path: Path, encoding: str | None = None) -> None:
        self.path = path
        try:
            self._readable, self._copy = _reread(path)
            with self._readable.open("rb") as stream:
                self._state = _state(stream.fileno())
                self.digest = hashlib.file_digest(stream, "sha256").hexdigest()
                stream.seek(0)
                detected = checked_encoding(stream, encoding) if encoding else None
                self.encoding = detected or detect_encoding(stream)
        except OSError as error:
            raise FileRefused(f"Cannot read {path}: {error.strerror or error}.") from error

    def lines(self) -> Iterator[str]:
        """Physical lines with their ends. Refused when the file changed since it was opened."""
        with self._readable.open("rb") as raw:
            self._refuse_changed(raw)
            text = TextIOWrapper(raw, encoding=self.encoding, newline="")
            yield from self._bounded(text)
            self._refuse_changed(raw)

    def _refuse_changed(self, raw: BinaryIO) -> None:
        if _state(raw.fileno()) != self._state:
            raise FileRefused(f"{self.path} changed while it was read.", "Start again.")

    def _bounded(self, text: TextIOWrapper) -> Iterator[str]:
        readline = partial(text.readline, LONGEST_LINE)
        for number, line in enumerate(iter(readline, ""), 1):
            if len(line) == LONGEST_LINE:
                raise FileRefused(
                    f"Line {number} is longer than {LONGEST_LINE:,} characters.",
                    "Check that this is a table with one record per line.",
                )
            yield line


def _reread(path: Path) -> tuple[Path, object]:
    """Where the bytes can be read again, and what keeps that place alive."""
    if path.is_dir():
        raise FileRefused(f"{path} is a folder.", "Name one file.")
    if path.is_file():
        return path, None
    with path.open("rb") as pipe:
        copy = tempfile.NamedTemporaryFile(prefix="crm-import-")  # noqa: SIM115 - it stays
        shutil.copyfileobj(pipe, copy)
    copy.flush()
    return Path(copy.name), copy


def _state(descriptor: int) -> tuple[int, int, int]:
    status = os.fstat(descriptor)
    return status.st_ino, status.st_size, status.st_mtime_ns
