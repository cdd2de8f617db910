"""The columns that facts of every view have alike. Instants are microseconds since 1970 in UTC."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, Text, Uuid, literal

from crm_projections.facts.instants import FOREVER

Columns = tuple[Column[Any], ...]

_BIG = BigInteger().with_variant(Integer(), "sqlite")  # only an INTEGER counts up by itself there


def told() -> Columns:
    """An event of a unit, as it was told; its place in the stream is the key."""
    return (
        Column("unit", Uuid, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("sequence", BigInteger, nullable=False),
        Column("effective", BigInteger, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("supersedes", Uuid),
        Column("type", Text, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )


def counted() -> Column[int]:
    """A key of no meaning, for rows that are replaced as the belief changes."""
    return Column("id", _BIG, primary_key=True, autoincrement=True)


def believed() -> Columns:
    """Of a unit, from one instant on, believed from one sequence of its context to another."""
    return (
        Column("unit", Uuid, nullable=False),
        Column("context", Text, nullable=False),
        Column("known_from", BigInteger, nullable=False),
        Column("known_to", BigInteger, nullable=False),
        Column("valid_from", BigInteger, nullable=False),
    )


def found_by_news(table: Table) -> None:
    """Indexes for whoever keeps a table's rows and asks for those that came, or ended, since."""
    ended = table.c.known_to < literal(FOREVER, literal_execute=True)
    Index(f"{table.name}_begun", table.c.context, table.c.known_from)
    Index(
        f"{table.name}_ended",
        *(table.c.context, table.c.known_to),
        postgresql_where=ended,
        sqlite_where=ended,
    )
