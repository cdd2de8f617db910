"""A table's columns in a file beside the views' own, so that the next process need not read them.

It may be deleted at any time. A file that is broken, of other columns, or of other rows than the
table's is not used, and is written anew.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson
from sqlalchemy import Connection, text

from crm_projections.columns.frame import Array, Columns, Frame
from crm_projections.columns.layout import Layout

_TOLD: Final = "told"
_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class Taken:
    """Of what the columns were read: the generation by when it was made, how often its lanes had
    moved, up to where all had been taken, and which parked events had been applied."""

    made_at: int
    revisions: Mapping[str, int]
    complete: Mapping[str, int]
    resolved: tuple[int, ...]


def save(folder: Path, layout: Layout, frame: Frame, taken: Taken) -> None:
    """Puts the file in the place of the one before, and removes those of other generations."""
    folder.mkdir(exist_ok=True)
    name = layout.table.name
    told = {
        "format": _FORMAT,
        "columns": layout.select(""),
        "words": frame.words(),
        "made_at": taken.made_at,
        "revisions": dict(taken.revisions),
        "complete": dict(taken.complete),
        "resolved": taken.resolved,
    }
    beside = folder / f"{name}.new"
    with beside.open("wb") as file:
        parts: dict[str, Any] = {
            **frame.parts(),
            _TOLD: np.frombuffer(orjson.dumps(told), np.uint8),
        }
        np.savez(file, **parts)
    for other in folder.glob(f"{name.rpartition('__g')[0]}__g*.npz"):
        other.unlink()
    beside.rename(folder / f"{name}.npz")


def load(folder: Path, layout: Layout) -> tuple[Frame, Taken] | None:
    """What was saved of these columns; None where nothing is there that can be used."""
    with suppress(OSError, ValueError, KeyError, zipfile.BadZipFile):
        with (folder / f"{layout.table.name}.npz").open("rb") as file, np.load(file) as found:
            parts: dict[str, Array] = {name: found[name] for name in found.files}
        told = orjson.loads(parts.pop(_TOLD).tobytes())
        if told["format"] == _FORMAT and told["columns"] == layout.select(""):
            return Frame.of(layout, parts, told["words"]), _taken(told)
    return None


def _taken(told: Mapping[str, Any]) -> Taken:
    return Taken(told["made_at"], told["revisions"], told["complete"], tuple(told["resolved"]))


def agrees(
    connection: Connection, layout: Layout, columns: Columns, floors: Mapping[str, int]
) -> bool:
    """Whether the table has the same rows up to these sequences, by their number and two sums: a
    table that was restored from elsewhere has other rows under the same keys."""
    key = layout.key or "known_from"
    asked = (
        f'SELECT count(*), coalesce(sum("{key}"), 0), coalesce(sum(known_from), 0) '
        f'FROM "{layout.table.name}" WHERE context = :context AND known_from <= :floor'
    )
    for context, floor in floors.items():
        row = connection.execute(text(asked), {"context": context, "floor": floor}).one()
        mine = columns.is_word("context", context) & (columns["known_from"] <= floor)
        sums = [_sum(columns[name][mine]) for name in (key, "known_from")]
        if [int(each) for each in row] != [int(np.count_nonzero(mine)), *sums]:
            return False
    return True


def _sum(values: Array) -> int:
    return int(values.sum(dtype=np.int64))
