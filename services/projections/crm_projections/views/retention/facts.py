"""Retention's one table: every order as it was believed from one sequence to another."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, Table, Text, Uuid

from crm_projections.facts.columns import believed, counted, found_by_news


def order_table(metadata: MetaData, suffix: str) -> Table:
    """Orders of one generation. `valid_from` is when the order was placed; months and days are
    local to the reporting zone."""
    name = f"retention_order{suffix}"
    table = Table(
        name,
        metadata,
        counted(),
        *believed(),
        Column("event_id", Uuid, nullable=False),
        Column("customer", Uuid, nullable=False),
        Column("day", Integer, nullable=False),
        Column("month", Integer, nullable=False),
        Column("amount", BigInteger, nullable=False),
        Column("currency", Text, nullable=False),
        Column("source", Text),
        Column("region", Text),
        Column("segment", Text),
    )
    Index(f"{name}_unit", table.c.unit)
    found_by_news(table)
    return table
