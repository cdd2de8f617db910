"""Which columns of the funnel's facts are kept in memory."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import Layout
from crm_projections.columns.store import columns_of
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.grouping import Grouping

CONTEXTS: Final = ("contacts", "pipeline")
_STANDING: Final = (
    *("valid_to", "pipeline", "stage", "state", "furthest", "furthest_rank"),
    *("entered_at", "entered_day", "since_day", "from_day", "until_day"),
    *("amount", "currency", "history_unknown", "time_disorder"),
)
_MOVE: Final = ("pipeline", "stage", "rank", "state", "previous", "previous_rank", "day")


def standings_layout(tables: FunnelTables) -> Layout:
    return Layout(tables.standings, CONTEXTS, (*_STANDING, *Grouping._fields), ("unit",))


def moves_layout(tables: FunnelTables) -> Layout:
    """An event makes one move at most."""
    return Layout(tables.moves, CONTEXTS, (*_MOVE, *Grouping._fields), ("unit",), key=None)


def standings(connection: Connection, tables: FunnelTables) -> Columns:
    return columns_of(connection, standings_layout(tables))


def moves(connection: Connection, tables: FunnelTables) -> Columns:
    return columns_of(connection, moves_layout(tables))
