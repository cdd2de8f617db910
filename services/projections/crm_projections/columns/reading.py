"""Rows out of SQL as arrays, as fast as each database gives them."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection

from crm_projections.columns.from_postgres import Copying
from crm_projections.columns.from_sqlite import Gathering
from crm_projections.columns.layout import Layout
from crm_projections.columns.rows import Rows

ALL: Final = "true"
_PATIENCE: Final = "600s"
_LIMITS: Final = ("statement_timeout", "idle_in_transaction_session_timeout")


def be_given_time(connection: Connection) -> None:
    """For whoever reads a whole table: the limits of this transaction are minutes from here on.
    PostgreSQL would end it while millions of rows are sent, or are put into columns here."""
    if connection.dialect.name == "postgresql":
        for limit in _LIMITS:
            connection.exec_driver_sql(f"SET LOCAL {limit} = '{_PATIENCE}'")


def read(connection: Connection, layout: Layout, where: str) -> Rows:
    """The rows that meet a condition, as the connection's snapshot shows them."""
    if connection.dialect.name == "postgresql":
        return Copying(layout).read(connection, where)
    return Gathering(layout).read(connection, where)
