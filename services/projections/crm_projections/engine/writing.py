"""Many rows of a view at once: on PostgreSQL one statement over an array for each column.

A driver's `executemany` sends a statement for every row, which took most of a view's time. So did
rows that name their columns: these are tuples, and the columns are told once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

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
    Column,
    ColumnElement,
    Connection,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    update,
)
from sqlalchemy.types import NullType

T = TypeVar("T")
register(psycopg.adapters)
_ARRAYS: Final[Mapping[type[Any], type[PackedArray]]] = {
    BigInteger: Bigints,
    Boolean: Booleans,
    Integer: Integers,
    LargeBinary: Blobs,
    Text: Texts,
    Uuid: Uuids,
}
_AT_ONCE: Final = 500
Rows = Sequence[Sequence[Any]]


def insert_rows(connection: Connection, table: Table, columns: tuple[str, ...], rows: Rows) -> None:
    """Every row has a value for each of the columns, which are of the types above."""
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        connection.exec_driver_sql(
            _inserting_one(table.name, columns), _as_text(table, columns, rows)
        )
        return
    values = zip(*rows, strict=True)
    arrays = [_ARRAYS[type(table.c[name].type)].of(next(values)) for name in columns]
    connection.exec_driver_sql(_inserting(table.name, columns), tuple(arrays))


def _as_text(table: Table, columns: tuple[str, ...], rows: Rows) -> list[tuple[Any, ...]]:
    """SQLite has no type for ids; SQLAlchemy reads them from 32 digits."""
    given = zip(*rows, strict=True)
    written: list[Sequence[Any]] = []
    for name, values in zip(columns, given, strict=True):
        ids = isinstance(table.c[name].type, Uuid)
        written.append([id and id.hex for id in values] if ids else values)
    return list(zip(*written, strict=True))


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


def among(
    connection: Connection, column: Column[T], values: Sequence[T]
) -> Iterator[ColumnElement[bool]]:
    """Conditions on a column that together cover the values; none where there are none."""
    if not values:
        return
    if connection.dialect.name == "postgresql":
        array = _ARRAYS[type(column.type)].of(values)
        yield column == any_(bindparam(None, array, NullType(), unique=True))
        return
    for start in range(0, len(values), _AT_ONCE):
        yield column.in_(values[start : start + _AT_ONCE])


@lru_cache(maxsize=200)
def _inserting(table: str, names: tuple[str, ...]) -> str:
    columns, arrays = ", ".join(f'"{name}"' for name in names), ", ".join(["%s"] * len(names))
    return f'INSERT INTO "{table}" ({columns}) SELECT * FROM unnest({arrays})'


@lru_cache(maxsize=200)
def _inserting_one(table: str, names: tuple[str, ...]) -> str:
    columns, values = ", ".join(f'"{name}"' for name in names), ", ".join("?" * len(names))
    return f'INSERT INTO "{table}" ({columns}) VALUES ({values})'


@lru_cache(maxsize=200)
def _ending(table: str) -> str:
    return (
        f'UPDATE "{table}" SET known_to = ended.at '
        f'FROM unnest(%s, %s) AS ended(id, at) WHERE "{table}".id = ended.id'
    )
