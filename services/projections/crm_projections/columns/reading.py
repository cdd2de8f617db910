"""Rows out of SQL as arrays, as fast as each database gives them."""

from __future__ import annotations

from sqlalchemy import Connection

from crm_projections.columns.from_postgres import Copying
from crm_projections.columns.from_sqlite import Gathering
from crm_projections.columns.layout import Layout
from crm_projections.columns.rows import Rows


def read(connection: Connection, layout: Layout, where: str) -> Rows:
    """The rows that meet a condition, as the connection's snapshot shows them."""
    if connection.dialect.name == "postgresql":
        return Copying(layout).read(connection, where)
    return Gathering(layout).read(connection, where)
