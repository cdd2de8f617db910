"""One file with its sidecar: what it holds, up to where, and the digest of its bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import file_digest
from pathlib import Path
from typing import Any, BinaryIO

from crm_console.exporting.writing import Column, Format, Row, writer_for
from crm_console.files import written_whole

Told = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Exported:
    """What is to be written. `about` stands in the sidecar beside what is found while writing."""

    columns: Sequence[Column]
    portions: Iterable[Sequence[Row]]
    position: Mapping[str, int]
    about: Mapping[str, Any] = field(default_factory=dict)


def export(what: Exported, path: Path, format: Format, told: Told) -> dict[str, Any]:
    """Write the file, then its sidecar `<file>.json`; answers what the sidecar says.

    The file takes its place whole, and a sidecar of another content never stands beside it. Raises
    WrongPlace, and what the portions raise; then nothing is there that was not there before.
    """
    sidecar = path.parent / f"{path.name}.json"
    with written_whole(path) as file:
        rows = _write(what, file, format, told)
        file.flush()
        sidecar.unlink(missing_ok=True)
    said = {
        "file": path.name,
        "format": format.value,
        "rows": rows,
        "bytes": path.stat().st_size,
        "sha256": _digest(path),
        "position": dict(what.position),
        "columns": [column.said() for column in what.columns],
        **what.about,
    }
    with written_whole(sidecar) as beside:
        beside.write(json.dumps(said, ensure_ascii=False, indent=2).encode() + b"\n")
    return said


def _write(what: Exported, file: BinaryIO, format: Format, told: Told) -> int:
    rows = 0
    with closing(writer_for(format, file, what.columns)) as writer:
        for portion in what.portions:
            writer.write(portion)
            rows += len(portion)
            told(rows)
    return rows


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()
