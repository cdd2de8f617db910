"""Ids to names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import lru_cache
from typing import Any

import orjson
from crm_events.sql.arrays import Texts
from sqlalchemy import Connection, Select, Table, any_, func, select
from sqlalchemy.types import NullType

from crm_projections.engine.prepared import left_open
from crm_projections.views.names.facts import KINDS


def names_of(connection: Connection, table: Table, ids: Collection[str]) -> Mapping[str, str]:
    """The names of those ids that have one now."""
    if not ids:
        return {}
    asked = asking_for(table, ids, connection.dialect.name == "postgresql")
    return {row.id: row.name for row in connection.execute(*asked)}


def asking_for(
    table: Table, ids: Collection[str], on_server: bool
) -> tuple[Select[Any], Mapping[str, Any]]:
    """The statement that names these ids, and the values that it leaves open."""
    array = Texts.of(ids) if on_server else orjson.dumps(list(ids)).decode()
    return _among(table, on_server), {"ids": array}


@lru_cache(maxsize=64)
def _among(table: Table, on_server: bool) -> Select[Any]:
    given = left_open("ids", NullType())
    if on_server:
        wanted = table.c.id == any_(given)
    else:
        wanted = table.c.id.in_(select(func.json_each(given).table_valued("value").c.value))
    known = (table.c.kind.in_(KINDS), wanted, table.c.name.is_not(None))
    return select(table.c.id, table.c.name).where(*known)
