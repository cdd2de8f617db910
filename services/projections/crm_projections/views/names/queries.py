"""Ids to names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from itertools import islice
from typing import Final

from sqlalchemy import Connection, Table, select

_AT_ONCE: Final = 500


def names_of(connection: Connection, table: Table, ids: Collection[str]) -> Mapping[str, str]:
    """The names of those ids that have one now."""
    found: dict[str, str] = {}
    remaining = iter(ids)
    while chunk := list(islice(remaining, _AT_ONCE)):
        query = select(table.c.id, table.c.name).where(
            table.c.id.in_(chunk), table.c.name.is_not(None)
        )
        found.update({row.id: row.name for row in connection.execute(query)})
    return found
