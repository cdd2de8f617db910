"""Satisfaction's tables: the events of tickets, and the intervals of tickets and of surveys."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
)

from crm_projections.facts.columns import Columns, believed, counted, found_by_news, told


@dataclass(frozen=True, slots=True)
class SatisfactionTables:
    """Facts, and what follows from them of tickets and of surveys."""

    events: Table
    tickets: Table
    surveys: Table


def _interval() -> Columns:
    return (
        counted(),
        *believed(),
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
        *told(),
        Column("week", Integer, nullable=False),
        Column("month", Integer, nullable=False),
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
        found_by_news(table)
    return SatisfactionTables(events, tickets, surveys)
