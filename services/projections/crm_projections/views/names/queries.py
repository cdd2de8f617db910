"""Ids to names."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from sqlalchemy import Connection, Table, select

from crm_projections.engine.writing import among


def names_of(connection: Connection, table: Table, ids: Collection[str]) -> Mapping[str, str]:
    """The names of those ids that have one now."""
    found: dict[str, str] = {}
    for condition in among(connection, table.c.id, list(ids)):
        query = select(table.c.id, table.c.name).where(condition, table.c.name.is_not(None))
        found.update((id, name) for id, name in connection.execute(query))
    return found
