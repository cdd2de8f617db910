"""The audit over PostgreSQL: a row of a binary COPY is 0x00 and the entry already."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from crm_events.audit.entry import COLUMNS, Leaf, Rows, position_in
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
from crm_events.sql.postgres import Connection
from crm_events.store.postgres import PostgresRecorder

_COPY: Final = (
    "COPY (SELECT {columns} FROM events WHERE {condition} ORDER BY position LIMIT {limit}) "
    "TO STDOUT (FORMAT BINARY)"
)
_BY_INDEX: Final = "SET LOCAL enable_sort = off"
"""Until a log that was imported or restored has been analyzed, the planner takes a page for a small
part of it, and would sort all the rest of the log for every page."""
_HEADER_BYTES: Final = 19
"""Signature, flags and the length of an extension, before the first row."""
_TRAILER: Final = b"\xff\xff"


class PostgresAuditLog(AuditQueries):
    def __init__(self, recorder: PostgresRecorder) -> None:
        super().__init__(recorder)
        self._recorder = recorder

    def rows(self, after: int, upto: int, limit: int) -> Rows:
        rows = self._copied(f"position > {after:d} AND position <= {upto:d}", limit)
        return Rows([position_in(row) for row in rows], list(rows))

    def leaf_of(self, event_id: UUID) -> Leaf | None:
        found = self._copied(f"event_id = '{event_id}'::uuid", 1)
        return Leaf(position_in(found[0]), found[0]) if found else None

    def _copied(self, condition: str, limit: int) -> list[bytes]:
        statement = _COPY.format(columns=COLUMNS, condition=condition, limit=limit)

        def read(connection: Connection) -> list[bytes]:
            if connection.info.encoding != "utf-8":
                connection.execute("SET client_encoding TO 'UTF8'")
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(_BY_INDEX)
                with cursor.copy(statement) as copy:
                    return [bytes(row) for row in copy]

        rows = self._recorder.with_connection(read)
        rows[0] = rows[0][_HEADER_BYTES:]
        if rows[-1] == _TRAILER:
            rows.pop()
        return rows

    def grow(self, old: Head, new: Head, tiles: Sequence[Tile], signed: Signed) -> bool:
        def write(connection: Connection) -> bool:
            with connection.transaction(), connection.cursor(binary=True) as cursor:
                cursor.execute(_in_psycopg(COMPARE_AND_SET), moved(old, new))
                if cursor.rowcount != 1:
                    return False
                for tile in tiles:  # executemany is a pipeline, which hangs where it is large
                    cursor.execute(_in_psycopg(PUT_TILE), tile_row(tile))
                checkpoint = (signed.number, signed.size, signed.position, signed.note)
                cursor.execute(_in_psycopg(PUT_CHECKPOINT), checkpoint)
                return True

        return self._recorder.with_connection(write)

    def has_left(self, number: int, at: datetime) -> None:
        self._run(HAS_LEFT, at, number)

    def ask(self, position: int) -> None:
        self._run(ASK, position, position)

    def _run(self, statement: str, *parameters: object) -> None:
        self._recorder.with_connection(
            lambda connection: connection.execute(_in_psycopg(statement), parameters)
        )


def _in_psycopg(statement: str) -> str:
    return statement.replace("?", "%s")
