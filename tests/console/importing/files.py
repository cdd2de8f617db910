"""Small files, and what the importer makes of them."""

from pathlib import Path
from typing import Any

from crm_console.importing import (
    FileRefused,
    ImportFile,
    ImportOptions,
    ImportRow,
    RowError,
    open_table,
)

DEALS: dict[str, Any] = {"stages": ("New", "Talking"), "won": ("Won",), "lost": ("Lost",)}


class Folder:
    """Writes files and opens them; the keywords are those of ImportOptions."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def file(self, content: str | bytes, name: str = "table.csv") -> Path:
        path = self.path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def opened(self, kind: str, content: str | bytes, **options: Any) -> ImportFile:
        return open_table(self.file(content), kind, ImportOptions(**options))

    def results(
        self, kind: str, content: str | bytes, **options: Any
    ) -> list[ImportRow | RowError]:
        return list(self.opened(kind, content, **options).rows())

    def rows(self, kind: str, content: str | bytes, **options: Any) -> list[ImportRow]:
        """All rows of a file that has no errors."""
        results = self.results(kind, content, **options)
        assert [result for result in results if isinstance(result, RowError)] == []
        return [result for result in results if isinstance(result, ImportRow)]

    def errors(self, kind: str, content: str | bytes, **options: Any) -> list[RowError]:
        results = self.results(kind, content, **options)
        return [result for result in results if isinstance(result, RowError)]

    def refusal(self, kind: str, content: str | bytes, **options: Any) -> str:
        """What a file that is refused as a whole is refused with."""
        try:
            self.opened(kind, content, **options)
        except FileRefused as refused:
            return str(refused)
        raise AssertionError("the file was not refused")
