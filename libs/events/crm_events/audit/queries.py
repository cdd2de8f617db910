"""The audit's own rows, asked of either database in the same words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from crm_events.audit.log import AuditLog, Head, Signed, Tile
from crm_events.store.reading import LogQueries
from crm_events.store.rows import Row

COMPARE_AND_SET: Final = (
    "UPDATE audit_head SET size = ?, position = ?, checkpoints = ?, peaks = ? "
    "WHERE id = 1 AND size = ? AND position = ? AND checkpoints = ? AND peaks = ?"
)
PUT_TILE: Final = (
    "INSERT INTO audit_tiles (number, positions, hashes, root) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (number) DO UPDATE SET "
    "positions = excluded.positions, hashes = excluded.hashes, root = excluded.root"
)
PUT_CHECKPOINT: Final = (
    "INSERT INTO audit_checkpoints (number, size, position, note) VALUES (?, ?, ?, ?)"
)
HAS_LEFT: Final = "UPDATE audit_checkpoints SET left_at = ? WHERE number = ?"
ASK: Final = "UPDATE audit_head SET asked = ? WHERE id = 1 AND asked < ?"
_CHECKPOINT: Final = "SELECT number, size, position, note, left_at FROM audit_checkpoints"


def moved(old: Head, new: Head) -> tuple[int | bytes, ...]:
    """The parameters of COMPARE_AND_SET."""
    after = (new.size, new.position, new.checkpoints, new.peaks)
    return (*after, old.size, old.position, old.checkpoints, old.peaks)


def tile_row(tile: Tile) -> tuple[int, bytes, bytes, bytes | None]:
    return tile.number, tile.positions, tile.hashes, tile.root


class AuditQueries(AuditLog):
    """What is only read."""

    def __init__(self, recorder: LogQueries) -> None:
        self._ask = recorder.rows
        self._values = recorder.values

    def stored(self) -> int:
        return int(self._ask("SELECT coalesce(max(position), 0) FROM events")[0][0])

    def head(self) -> Head:
        rows = self._ask("SELECT size, position, checkpoints, peaks FROM audit_head")
        return Head(*rows[0]) if rows else Head(-1)

    def tiles(self, first: int, count: int) -> Sequence[Tile]:
        rows = self._ask(
            "SELECT number, positions, hashes, root FROM audit_tiles WHERE number >= ? "
            "ORDER BY number LIMIT ?",
            first,
            count,
        )
        return [Tile(*row) for row in rows]

    def tile_roots(self, first: int, count: int) -> Sequence[tuple[int, bytes | None]]:
        rows = self._ask(
            "SELECT number, root FROM audit_tiles WHERE number >= ? ORDER BY number LIMIT ?",
            first,
            count,
        )
        return [(row[0], row[1]) for row in rows]

    def signed(self, after: int, limit: int) -> Sequence[Signed]:
        found = self._ask(f"{_CHECKPOINT} WHERE number > ? ORDER BY number LIMIT ?", after, limit)
        return [self._signed(row) for row in found]

    def last_signed(self) -> Signed | None:
        found = self._ask(f"{_CHECKPOINT} ORDER BY number DESC LIMIT 1")
        return self._signed(found[0]) if found else None

    def signed_from(self, size: int) -> Signed | None:
        found = self._ask(f"{_CHECKPOINT} WHERE size >= ? ORDER BY number LIMIT 1", size)
        return self._signed(found[0]) if found else None

    def staying(self, limit: int) -> Sequence[Signed]:
        found = self._ask(f"{_CHECKPOINT} WHERE left_at IS NULL ORDER BY number LIMIT ?", limit)
        return [self._signed(row) for row in found]

    def _signed(self, row: Row) -> Signed:
        number, size, position, note, left = row
        return Signed(number, size, position, note, self._instant(left))

    def _instant(self, value: object) -> datetime | None:
        return None if value is None else self._values.from_instant(value)

    def unsealed(self, after: int) -> int:
        return int(self._ask("SELECT count(*) FROM events WHERE position > ?", after)[0][0])

    def asked(self) -> int:
        rows = self._ask("SELECT asked FROM audit_head")
        return int(rows[0][0]) if rows else 0
