"""How far an import came, kept in the home so that an interrupted one can go on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from crm_console.home import write_private


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """The last line of a file whose row was answered, for one file, kind, source and server."""

    path: Path

    def line(self) -> int:
        """0 where nothing of the file has been sent."""
        try:
            return int(json.loads(self.path.read_text())["line"])
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return 0

    def reached(self, line: int) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self.path, json.dumps({"line": line}))

    def done(self) -> None:
        self.path.unlink(missing_ok=True)


def progress_of(folder: Path, *identity: str) -> ImportProgress:
    """Progress of one import: identified by file digest, kind, source and server."""
    digest = hashlib.sha256("\x1f".join(identity).encode()).hexdigest()[:32]
    return ImportProgress(folder / f"{digest}.json")
