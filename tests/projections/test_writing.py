"""Rows go into a view's tables and come out the same on both databases."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from crm_projections.engine.database import Database
from crm_projections.engine.writing import end_rows, insert_rows
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    Uuid,
    select,
)

Big = BigInteger().with_variant(Integer(), "sqlite")
FULL = {
    "unit": UUID(int=7),
    "known_to": 2**62,
    "rank": -3,
    "name": '试用 "100 %s" \\ \'',
    "data": b"\x00\xff{}",
    "unknown": True,
}
EMPTY = {"unit": UUID(int=8), "known_to": 0, "rank": None, "name": None, "data": None}


@pytest.fixture
def table(database: Database) -> Table:
    found = Table(
        "every_type__g1",
        MetaData(),
        Column("id", Big, primary_key=True, autoincrement=True),
        Column("unit", Uuid, nullable=False),
        Column("known_to", BigInteger, nullable=False),
        Column("rank", Integer),
        Column("name", Text),
        Column("data", LargeBinary),
        Column("unknown", Boolean),
    )
    with database.defining() as connection:
        found.create(connection)
    return found


def stored(database: Database, table: Table) -> list[dict[str, Any]]:
    with database.reading() as connection:
        rows = connection.execute(select(table).order_by(table.c.id)).mappings().all()
    return [{name: row[name] for name in row if name != "id"} for row in rows]


def test_every_type_comes_out_as_it_went_in(database: Database, table: Table) -> None:
    rows = [FULL, {**EMPTY, "unknown": False}]
    with database.writing() as connection:
        insert_rows(connection, table, tuple(FULL), [tuple(row.values()) for row in rows])
    assert stored(database, table) == rows


def test_no_rows_change_nothing(database: Database, table: Table) -> None:
    with database.writing() as connection:
        insert_rows(connection, table, tuple(FULL), [])
        end_rows(connection, table, {})
    assert stored(database, table) == []


def test_only_the_named_rows_end(database: Database, table: Table) -> None:
    rows = [{**FULL, "unit": UUID(int=number)} for number in (1, 2, 3)]
    with database.writing() as connection:
        insert_rows(connection, table, tuple(FULL), [tuple(row.values()) for row in rows])
        ids = connection.execute(select(table.c.id).order_by(table.c.unit)).scalars().all()
        end_rows(connection, table, {ids[0]: 5, ids[2]: 9})
    assert [row["known_to"] for row in stored(database, table)] == [5, 2**62, 9]
