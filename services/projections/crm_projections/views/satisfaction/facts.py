"""Satisfaction's tables: the events of tickets, and the intervals of tickets and of surveys."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
)

Big = BigInteger().with_variant(Integer(), "sqlite")


@dataclass(frozen=True, slots=True)
class SatisfactionTables:
    """Facts, and what follows from them of tickets and of surveys."""

    events: Table
    tickets: Table
    surveys: Table


def _interval() -> tuple[Column[Any], ...]:
    return (
        Column("id", Big, primary_key=True, autoincrement=True),
        Column("unit", Uuid, nullable=False),
        Column("context", Text, nullable=False),
        Column("known_from", BigInteger, nullable=False),
        Column("known_to", BigInteger, nullable=False),
        Column("valid_from", BigInteger, nullable=False),
        Column("valid_to", BigInteger, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("category", Text, nullable=False),
        Column("channel", Text, nullable=False),
        Column("agent", Uuid),
        Column("team", Text),
        Column("week", Integer, nullable=False),
        Column("month", Integer, nullable=False),
    )


def satisfaction_tables(metadata: MetaData, suffix: str) -> SatisfactionTables:
    """Satisfaction's tables of one generation."""
    events = Table(
        f"satisfaction_event{suffix}",
        metadata,
        Column("unit", Uuid, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("sequence", BigInteger, nullable=False),
        Column("effective", BigInteger, nullable=False),
        Column("week", Integer, nullable=False),
        Column("month", Integer, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("supersedes", Uuid),
        Column("type", Text, nullable=False),
        Column("data", LargeBinary, nullable=False),
    )
    tickets = Table(
        f"satisfaction_ticket{suffix}",
        metadata,
        *_interval(),
        Column("opened_at", BigInteger, nullable=False),
        Column("resolved", Integer, nullable=False),
    )
    surveys = Table(
        f"satisfaction_survey{suffix}",
        metadata,
        *_interval(),
        Column("survey", Uuid, nullable=False),
        Column("delivered_at", BigInteger, nullable=False),
        Column("score", Integer),
    )
    for table in (tickets, surveys):
        Index(f"{table.name}_unit", table.c.unit)
        Index(f"{table.name}_cut", table.c.valid_to, table.c.valid_from)
    return SatisfactionTables(events, tickets, surveys)
