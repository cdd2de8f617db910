"""Many rows of a view at once: on PostgreSQL one statement over an array for each column.

A driver's `executemany` sends a statement for every row, which took most of a view's time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

import psycopg
from crm_events.sql.arrays import (
    Bigints,
    Blobs,
    Booleans,
    Integers,
    PackedArray,
    Texts,
    Uuids,
    register,
)
from sqlalchemy import (
    BigInteger,
    Boolean,
    Connection,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    bindparam,
    insert,
    update,
)

register(psycopg.adapters)
_ARRAYS: Final[Mapping[type[Any], type[PackedArray]]] = {
    BigInteger: Bigints,
    Boolean: Booleans,
    Integer: Integers,
    LargeBinary: Blobs,
    Text: Texts,
    Uuid: Uuids,
}


def insert_rows(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Every row names the same columns, of the types above."""
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.execute(insert(table), rows)
        return
    names = tuple(rows[0])
    columns = [_ARRAYS[type(table.c[n].type)].of(row[n] for row in rows) for n in names]
    connection.exec_driver_sql(_inserting(table.name, names), tuple(columns))


def end_rows(connection: Connection, table: Table, ends: Mapping[int, int]) -> None:
    """Set `known_to` of these rows, found by `id`."""
    if not ends:
        return
    if connection.dialect.name != "postgresql":
        statement = update(table).where(table.c.id == bindparam("row"))
        rows = [{"row": id, "ended": sequence} for id, sequence in ends.items()]
        connection.execute(statement.values(known_to=bindparam("ended")), rows)
        return
    connection.exec_driver_sql(_ending(table.name), (Bigints.of(ends), Bigints.of(ends.values())))


@lru_cache(maxsize=200)
def _inserting(table: str, names: tuple[str, ...]) -> str:
    columns, arrays = ", ".join(f'"{name}"' for name in names), ", ".join(["%s"] * len(names))
    return f'INSERT INTO "{table}" ({columns}) SELECT * FROM unnest({arrays})'


@lru_cache(maxsize=200)
def _ending(table: str) -> str:
    return (
        f'UPDATE "{table}" SET known_to = ended.at '
        f'FROM unnest(%s, %s) AS ended(id, at) WHERE "{table}".id = ended.id'
    )
