"""How far an import came, kept in the home so that an interrupted one can go on."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path

from crm_console.home import write_private


@dataclass(frozen=True, slots=True)
class Reached:
    """The last line whose row was answered, how many rows up to it were refused, and how many
    bytes of the error file tell of them; and the correlation that its events have in common."""

    line: int = 0
    refused: int = 0
    error_bytes: int = 0
    correlation: str = ""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """Of one file, kind, source and server."""

    path: Path

    def read(self) -> Reached:
        """Zeros where nothing of the file has been sent."""
        try:
            kept = json.loads(self.path.read_text())
            correlation = str(kept.pop("correlation", ""))
            counts = {name: int(number) for name, number in kept.items()}
            return Reached(**counts, correlation=correlation)
        except (FileNotFoundError, ValueError, AttributeError, TypeError):
            return Reached()

    def keep(self, reached: Reached) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        write_private(self.path, json.dumps(asdict(reached)))

    def done(self) -> None:
        self.path.unlink(missing_ok=True)


def progress_of(folder: Path, *identity: str) -> ImportProgress:
    """Progress of one import: identified by file digest, kind, source and server."""
    digest = hashlib.sha256("\x1f".join(identity).encode()).hexdigest()[:32]
    return ImportProgress(folder / f"{digest}.json")
