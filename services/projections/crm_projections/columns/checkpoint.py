"""A table's columns in a file, so that the next process need not read them.

It may be deleted at any time. A file that is broken, of other columns, or of other rows than the
table's is not used, and is written anew.
"""

from __future__ import annotations

import os
import struct
import zipfile
import zlib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, Final

import numpy as np
import orjson

from crm_projections.columns.frame import Array, Frame
from crm_projections.columns.layout import Layout

_TOLD: Final = "told"
_FORMAT: Final = 2
# What zip, numpy and JSON raise over bytes that were changed, each in its own place.
_BROKEN: Final = (
    *(OSError, EOFError, ValueError, TypeError, LookupError, AttributeError, MemoryError),
    *(RuntimeError, struct.error, zlib.error, zipfile.BadZipFile),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """Of what the columns were read: the generation by when it was made, how often its lanes had
    moved and how far, up to where all had been taken, and which parked events had been applied."""

    made_at: int
    revisions: Mapping[str, int]
    sequences: Mapping[str, int]
    complete: Mapping[str, int]
    resolved: tuple[int, ...]


def save(folder: Path, layout: Layout, frame: Frame, taken: Taken) -> None:
    """Puts the file in the place of the one before, and removes those of other generations."""
    folder.mkdir(parents=True, exist_ok=True)
    name = layout.table.name
    told = {
        "format": _FORMAT,
        "columns": layout.select(""),
        "words": frame.words(),
        "made_at": taken.made_at,
        "revisions": dict(taken.revisions),
        "sequences": dict(taken.sequences),
        "complete": dict(taken.complete),
        "resolved": taken.resolved,
    }
    parts: dict[str, Any] = {
        **frame.parts(),
        _TOLD: np.frombuffer(orjson.dumps(told), np.uint8),
    }
    _put(folder / f"{name}.npz", parts)
    for other in folder.glob(f"{name.rpartition('__g')[0]}__g*.npz"):
        if other.stem != name:
            other.unlink(missing_ok=True)


def _put(path: Path, parts: dict[str, Any]) -> None:
    """Whole or not at all, whoever else saves the same."""
    draft = path.with_name(f"{path.stem}.{os.getpid()}.{token_hex(4)}.new")
    try:
        with draft.open("xb") as file:
            np.savez(file, **parts)
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def load(folder: Path, layout: Layout) -> tuple[Frame, Taken] | None:
    """What was saved of these columns; None where nothing is there that can be used."""
    with suppress(*_BROKEN):
        with (folder / f"{layout.table.name}.npz").open("rb") as file, np.load(file) as found:
            parts: dict[str, Array] = {name: found[name] for name in found.files}
        told = orjson.loads(parts.pop(_TOLD).tobytes())
        if told["format"] == _FORMAT and told["columns"] == layout.select(""):
            return Frame.of(layout, parts, told["words"]), _taken(told)
    return None


def _taken(told: Mapping[str, Any]) -> Taken:
    return Taken(
        told["made_at"],
        told["revisions"],
        told["sequences"],
        told["complete"],
        tuple(told["resolved"]),
    )
