"""The funnel's tables: every event of a unit, and the intervals that follow from them."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    Uuid,
)

from crm_projections.facts.columns import Columns, believed, counted, found_by_news, told
from crm_projections.facts.cut import still_believed


@dataclass(frozen=True, slots=True)
class FunnelTables:
    """Facts, what follows from them, and the stages that rows are listed by."""

    events: Table
    standings: Table
    moves: Table
    pipelines: Table


def _events(metadata: MetaData, suffix: str) -> Table:
    return Table(
        f"funnel_event{suffix}",
        metadata,
        *told(),
        Column("context", Text, nullable=False),
        Column("day", Integer, nullable=False),
    )


def _grouping() -> Columns:
    return (
        Column("owner", Uuid),
        Column("manager", Uuid),
        Column("team", Text),
        Column("region", Text),
        Column("product", Uuid),
        Column("source", Text),
        Column("sector", Text),
        Column("campaign", Uuid),
    )


def _moves(metadata: MetaData, suffix: str) -> Table:
    name = f"funnel_move{suffix}"
    table = Table(
        name,
        metadata,
        Column("event_id", Uuid, primary_key=True),
        *believed(),
        Column("pipeline", Text, nullable=False),
        Column("stage", Text, nullable=False),
        Column("rank", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("previous", Text, nullable=False),
        Column("previous_rank", Integer, nullable=False),
        Column("day", Integer, nullable=False),
        *_grouping(),
    )
    found_by_news(table)
    return table


def _standings(metadata: MetaData, suffix: str) -> Table:
    name = f"funnel_standing{suffix}"
    table = Table(
        name,
        metadata,
        counted(),
        *believed(),
        Column("valid_to", BigInteger, nullable=False),
        Column("event_id", Uuid, nullable=False),
        Column("pipeline", Text, nullable=False),
        Column("stage", Text, nullable=False),
        Column("stage_name", Text, nullable=False),
        Column("rank", Integer, nullable=False),
        Column("state", Text, nullable=False),
        Column("furthest", Text, nullable=False),
        Column("furthest_rank", Integer, nullable=False),
        Column("previous", Text, nullable=False),
        Column("previous_rank", Integer, nullable=False),
        Column("attempt", Integer, nullable=False),
        Column("entered_at", BigInteger, nullable=False),
        Column("entered_day", Integer, nullable=False),
        Column("since_day", Integer, nullable=False),
        Column("from_day", Integer, nullable=False),
        Column("until_day", Integer, nullable=False),
        Column("amount", BigInteger),
        Column("currency", Text),
        *_grouping(),
        Column("history_unknown", Boolean, nullable=False),
        Column("time_disorder", Boolean, nullable=False),
    )
    Index(f"{name}_cut", table.c.pipeline, table.c.valid_to, table.c.valid_from)
    now = still_believed(table)
    Index(f"{name}_unit", table.c.unit, postgresql_where=now, sqlite_where=now)
    listed = (table.c.pipeline, table.c.entered_at, table.c.unit)
    Index(f"{name}_list", *listed, postgresql_where=now, sqlite_where=now)
    found_by_news(table)
    return table


def _pipelines(metadata: MetaData, suffix: str) -> Table:
    return Table(
        f"funnel_pipeline{suffix}",
        metadata,
        Column("unit", Uuid, primary_key=True),
        Column("version", Integer, primary_key=True),
        Column("sequence", BigInteger, nullable=False),
        Column("effective", BigInteger, nullable=False),
        Column("pipeline", Text, nullable=False),
        Column("stages", Text, nullable=False),
        Column("won_name", Text, nullable=False),
        Column("lost_name", Text, nullable=False),
        info={"context": "pipeline"},
    )


def funnel_tables(metadata: MetaData, suffix: str) -> FunnelTables:
    """The funnel's tables of one generation."""
    return FunnelTables(
        _events(metadata, suffix),
        _standings(metadata, suffix),
        _moves(metadata, suffix),
        _pipelines(metadata, suffix),
    )
