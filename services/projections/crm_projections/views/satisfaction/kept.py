"""Which columns of tickets and surveys are kept in memory."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, Table

from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import Layout
from crm_projections.columns.store import columns_of
from crm_projections.views.satisfaction.facts import SatisfactionTables

CONTEXTS: Final = ("ticketing",)
_INTERVAL: Final = ("valid_to", "category", "channel", "agent", "team", "week", "month")


def tickets(connection: Connection, tables: SatisfactionTables) -> Columns:
    return _kept(connection, tables.tickets, "opened_at", "resolved")


def surveys(connection: Connection, tables: SatisfactionTables) -> Columns:
    return _kept(connection, tables.surveys, "delivered_at", "score")


def _kept(connection: Connection, table: Table, *names: str) -> Columns:
    return columns_of(connection, Layout(table, CONTEXTS, (*_INTERVAL, *names), ("unit",)))
