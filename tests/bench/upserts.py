"""What a projection comes down to at its barest: rows of 500 events upserted by one statement."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar, Final

import psycopg
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.envelope import Envelope
from crm_events.event import Event
from crm_projections.engine.instants import micros
from crm_projections.engine.view import Definition, Received
from sqlalchemy import BigInteger, Column, Connection, MetaData, Table, Text, Uuid

ROWS: Final = 500
_COLUMNS: Final = "unit, sequence, type, effective"
Row = tuple[Any, ...]


def row_of(envelope: Envelope) -> Row:
    at = micros(envelope.occurred_at)
    return envelope.aggregate_id, envelope.sequence, envelope.type, at


def upserting(table: str) -> str:
    return (
        f"INSERT INTO {table} ({_COLUMNS}) "
        "SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::bigint[]) "
        "ON CONFLICT (unit) DO UPDATE SET sequence = excluded.sequence, type = excluded.type, "
        "effective = excluded.effective"
    )


def columns(rows: Iterable[Row]) -> tuple[list[Any], ...]:
    """The last row of each unit, as one list a column."""
    last = {row[0]: row for row in rows}
    return tuple(list(column) for column in zip(*last.values(), strict=True))


def upserted(dsn: str, rows: Sequence[Row]) -> float:
    """Seconds to upsert them into a new table, 500 to a transaction."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS raw")
        connection.execute(
            "CREATE TABLE raw (unit uuid PRIMARY KEY, sequence bigint NOT NULL, type text NOT NULL,"
            " effective bigint NOT NULL)"
        )
        statement = upserting("raw")
        started = time.perf_counter()
        for start in range(0, len(rows), ROWS):
            connection.execute(statement, columns(rows[start : start + ROWS]))
        return time.perf_counter() - started


class LastEventView:
    """Nothing but the same upsert, through the engine: what the engine itself costs."""

    definition: ClassVar = Definition("last_event", 1)
    contexts: ClassVar = ("pipeline",)
    handles: ClassVar[frozenset[type[Event]]] = frozenset((OrderPlaced,))

    def tables(self, metadata: MetaData, suffix: str) -> Table:
        return Table(
            f"last_event{suffix}",
            metadata,
            Column("unit", Uuid, primary_key=True),
            Column("sequence", BigInteger, nullable=False),
            Column("type", Text, nullable=False),
            Column("effective", BigInteger, nullable=False),
        )

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        statement = upserting(tables.name)
        for start in range(0, len(batch), ROWS):
            rows = [row_of(received.envelope) for received in batch[start : start + ROWS]]
            connection.exec_driver_sql(statement, columns(rows))
