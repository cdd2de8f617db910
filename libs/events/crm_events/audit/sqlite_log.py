"""The audit over a SQLite file: entries are put together here."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Final
from uuid import UUID

from crm_events.audit.entry import COLUMNS, Leaf, Rows, packer
from crm_events.audit.log import Head, Signed, Tile
from crm_events.audit.queries import (
    ASK,
    COMPARE_AND_SET,
    HAS_LEFT,
    PUT_CHECKPOINT,
    PUT_TILE,
    AuditQueries,
    moved,
    tile_row,
)
from crm_events.store.port import StoreUnavailable
from crm_events.store.rows import Row
from crm_events.store.sqlite import SqliteRecorder
from crm_events.store.sqlite_writer import Group

_NO_ENTRY: Final = (TypeError, AttributeError, UnicodeError, struct.error)
_ROWS: Final = (
    f"SELECT {COLUMNS} FROM events WHERE position > ? AND position <= ? ORDER BY position LIMIT ?"
)


class SqliteAuditLog(AuditQueries):
    def __init__(self, recorder: SqliteRecorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder
        self._pack = packer()

    def rows(self, after: int, upto: int, limit: int) -> Rows:
        pack = self._pack
        try:
            rows = self._ask(_ROWS, after, upto, limit)
            return Rows([row[0] for row in rows], [pack(row) for row in rows])
        except _NO_ENTRY:
            return _rows([self._leaf(row) for row in rows])
        except StoreUnavailable as error:
            if not _is_undecodable(error):
                raise
        return _rows(self._one_by_one(after, upto, limit))

    def _leaf(self, row: Row) -> Leaf:
        try:
            return Leaf(row[0], self._pack(row))
        except _NO_ENTRY:
            return Leaf(row[0], None)

    def _one_by_one(self, after: int, upto: int, limit: int) -> Sequence[Leaf]:
        """Where a text is not UTF-8 the driver refuses the whole page."""
        positions = self._ask(
            "SELECT position FROM events WHERE position > ? AND position <= ? "
            "ORDER BY position LIMIT ?",
            after,
            upto,
            limit,
        )
        return [self._leaf_at(row[0]) for row in positions]

    def _leaf_at(self, position: int) -> Leaf:
        try:
            rows = self._ask(_ROWS, position - 1, position, 1)
        except StoreUnavailable as error:
            if not _is_undecodable(error):
                raise
            return Leaf(position, None)
        return self._leaf(rows[0])

    def leaf_of(self, event_id: UUID) -> Leaf | None:
        rows = self._ask(f"SELECT {COLUMNS} FROM events WHERE event_id = ?", event_id.bytes)
        return self._leaf(rows[0]) if rows else None

    def grow(self, old: Head, new: Head, tiles: Sequence[Tile], signed: Signed) -> bool:
        grown: bool = self._recorder.writing(
            partial(_grow, old=old, new=new, tiles=tiles, signed=signed)
        )
        return grown

    def has_left(self, number: int, at: datetime) -> None:
        instant = self._values.to_instant(at)
        self._recorder.writing(lambda group: _run(group, HAS_LEFT, instant, number))

    def ask(self, position: int) -> None:
        self._recorder.writing(lambda group: _run(group, ASK, position, position))


def _rows(leaves: Sequence[Leaf]) -> Rows:
    return Rows([leaf.position for leaf in leaves], [leaf.hashed for leaf in leaves])


def _is_undecodable(error: StoreUnavailable) -> bool:
    cause = error.__cause__
    return isinstance(cause, sqlite3.OperationalError) and "decode" in str(cause)


def _run(group: Group, statement: str, *parameters: object) -> None:
    group.cursor.execute(statement, parameters)


def _grow(group: Group, old: Head, new: Head, tiles: Sequence[Tile], signed: Signed) -> bool:
    group.cursor.execute(COMPARE_AND_SET, moved(old, new))
    if group.cursor.rowcount != 1:
        return False
    group.cursor.executemany(PUT_TILE, [tile_row(tile) for tile in tiles])
    checkpoint = (signed.number, signed.size, signed.position, signed.note)
    group.cursor.execute(PUT_CHECKPOINT, checkpoint)
    return True
