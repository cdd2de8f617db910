"""Which columns of tickets and surveys are kept in memory."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import Layout
from crm_projections.columns.store import columns_of
from crm_projections.views.satisfaction.facts import SatisfactionTables

CONTEXTS: Final = ("ticketing",)
_INTERVAL: Final = ("valid_to", "category", "channel", "agent", "team", "week", "month")


def tickets_layout(tables: SatisfactionTables) -> Layout:
    names = (*_INTERVAL, "opened_at", "resolved")
    return Layout(tables.tickets, CONTEXTS, names, ("unit",))


def surveys_layout(tables: SatisfactionTables) -> Layout:
    names = (*_INTERVAL, "delivered_at", "score")
    return Layout(tables.surveys, CONTEXTS, names, ("survey",))


def tickets(connection: Connection, tables: SatisfactionTables) -> Columns:
    return columns_of(connection, tickets_layout(tables))


def surveys(connection: Connection, tables: SatisfactionTables) -> Columns:
    return columns_of(connection, surveys_layout(tables))
