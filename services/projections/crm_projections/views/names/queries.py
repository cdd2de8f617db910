"""Ids to names."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from typing import Any

import orjson
from crm_events.sql.arrays import Texts
from sqlalchemy import ColumnElement, Connection, Select, Table, any_, case, func, select
from sqlalchemy.types import NullType

from crm_projections.engine.prepared import left_open
from crm_projections.engine.sql_json import NULL, Json, id_text, text_json, word
from crm_projections.views.names.facts import KINDS


def names_of(
    connection: Connection, table: Table, ids: Collection[str], kinds: Sequence[str] = KINDS
) -> Mapping[str, str]:
    """The names of those ids of things of these kinds that have one now."""
    if not ids:
        return {}
    on_server = connection.dialect.name == "postgresql"
    array = Texts.of(ids) if on_server else orjson.dumps(list(ids)).decode()
    found = connection.execute(_among(table, tuple(kinds), on_server), {"ids": array})
    return {row.id: row.name for row in found}


@lru_cache(maxsize=64)
def _among(table: Table, kinds: Sequence[str], on_server: bool) -> Select[Any]:
    given = left_open("ids", NullType())
    if on_server:
        wanted = table.c.id == any_(given)
    else:
        wanted = table.c.id.in_(select(func.json_each(given).table_valued("value").c.value))
    known = (table.c.kind.in_(kinds), wanted, table.c.name.is_not(None))
    return select(table.c.id, table.c.name).where(*known)


def name_json(table: Table | None, kind: str, id: ColumnElement[Any]) -> Json:
    """The name that a thing has now, by a statement that has its id, a UUID; `null` without one."""
    if table is None:
        return NULL
    this = (table.c.kind == word(kind), table.c.id == id_text(id))
    name = select(text_json(table.c.name)).where(*this).scalar_subquery()
    return case((id.is_(None), NULL), else_=func.coalesce(name, NULL))
