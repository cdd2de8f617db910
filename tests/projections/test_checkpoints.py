"""Columns that were left in a folder are used where they say what the tables say, only there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest
from crm_projections.bootstrap import build
from crm_projections.columns.checkpoint import load, save
from crm_projections.columns.store import ColumnStore, columns_of
from crm_projections.engine.database import Database
from crm_projections.settings import ProjectionSettings
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.retention.projector import RetentionView

from tests.events.store.building import at_once
from tests.projections.lanes import Lanes
from tests.projections.test_columns import (
    check,
    deals_told,
    dice,
    funnel_layouts,
    orders_told,
    retention_layouts,
    snapshot,
)
from tests.support.keys import KeysInMemory
from tests.support.viewing import UTC_EURO, identity

_HARMS = 150


@pytest.mark.parametrize("seed", range(2))
def test_the_next_process_goes_on_from_what_was_saved(
    database: Database, tmp_path: Path, seed: int
) -> None:
    chance = dice(seed)
    lanes = Lanes(database, FunnelView(UTC_EURO), deals_told(chance))
    layouts = funnel_layouts(lanes)
    poisonous = frozenset([identity("d1")])
    while left := lanes.left():
        lanes.take(chance.choice(left), chance.randint(1, 9), poisonous)
        with snapshot(database, ColumnStore(tmp_path / "kept", worth_saving=1)) as connection:
            check(connection, layouts)
    lanes.apply_parked()
    with snapshot(database, ColumnStore(tmp_path / "kept", worth_saving=1)) as connection:
        check(connection, layouts)
    assert len(list((tmp_path / "kept").iterdir())) == len(layouts)


@pytest.mark.parametrize("harm", ["cut", "empty", "flip", "other rows", "other columns"])
def test_what_was_saved_wrongly_is_not_used(database: Database, tmp_path: Path, harm: str) -> None:
    lanes = Lanes(database, RetentionView(UTC_EURO), orders_told(dice(19)))
    layout = retention_layouts(lanes)[0]
    for lane in lanes.left():
        lanes.take(lane, 1_000)
    with snapshot(database, ColumnStore(tmp_path, worth_saving=1)) as connection:
        check(connection, [layout])
    (file,) = tmp_path.glob("*.npz")
    written = file.read_bytes()
    if harm == "cut":
        file.write_bytes(written[: len(written) // 2])
    elif harm == "empty":
        file.write_bytes(b"")
    elif harm == "flip":
        file.write_bytes(written[:900] + bytes([written[900] ^ 1]) + written[901:])
    elif harm == "other rows":
        with database.writing() as connection:
            connection.exec_driver_sql(f'UPDATE "{layout.table.name}" SET id = id + 1000')
    else:
        layout = replace(layout, names=layout.names[1:])
    with snapshot(database, ColumnStore(tmp_path, worth_saving=1)) as connection:
        check(connection, [layout])


def _saved(database: Database, folder: Path) -> Lanes:
    """Orders whose columns were left in a folder."""
    lanes = Lanes(database, RetentionView(UTC_EURO), orders_told(dice(23)))
    for lane in lanes.left():
        lanes.take(lane, 1_000)
    with snapshot(database, ColumnStore(folder, worth_saving=1)) as connection:
        check(connection, retention_layouts(lanes))
    return lanes


def _next_process_agrees(database: Database, lanes: Lanes, folder: Path) -> None:
    with snapshot(database, ColumnStore(folder, worth_saving=1)) as connection:
        check(connection, retention_layouts(lanes))


@pytest.mark.parametrize("column", ["amount", "valid_from", "customer", "region"])
def test_a_history_that_ends_otherwise_is_read_anew(
    database: Database, tmp_path: Path, column: str
) -> None:
    """As after a restore: as many rows under the same keys, the last of which tell of others."""
    lanes = _saved(database, tmp_path)
    name = retention_layouts(lanes)[0].table.name
    other = {"customer": "unit", "region": "'elsewhere'"}.get(column, f"{column} + 1")
    with database.writing() as connection:
        connection.exec_driver_sql(
            f'UPDATE "{name}" SET {column} = {other} '
            f'WHERE known_from = (SELECT max(known_from) FROM "{name}")'
        )
    _next_process_agrees(database, lanes, tmp_path)


def test_lanes_that_were_set_back_are_read_anew(database: Database, tmp_path: Path) -> None:
    """They have moved as often since, and not as far."""
    lanes = _saved(database, tmp_path)
    name = retention_layouts(lanes)[0].table.name
    with database.writing() as connection:
        last = connection.exec_driver_sql(f'SELECT max(known_from) FROM "{name}"').scalar_one()
        connection.exec_driver_sql(f'DELETE FROM "{name}" WHERE known_from = {last}')
        connection.exec_driver_sql(
            f"UPDATE view_position SET complete_to = {last - 1}, revision = revision + 9, "
            f"sequence = CASE WHEN sequence >= {last} THEN {last - 1} ELSE sequence END"
        )
    _next_process_agrees(database, lanes, tmp_path)


def _harmed(chance: Random, written: bytes) -> bytes:
    at = chance.randrange(len(written))
    match chance.randrange(4):
        case 0:
            return written[:at]
        case 1:
            return written[:at] + chance.randbytes(9) + written[at:]
        case 2:
            return written[:at] + bytes(64) + written[at + 64 :]
        case _:
            return (
                written[:at] + bytes([written[at] ^ 1 << chance.randrange(8)]) + written[at + 1 :]
            )


def test_no_harm_to_a_file_makes_other_columns_of_it(sqlite: Database, tmp_path: Path) -> None:
    (layout,) = retention_layouts(_saved(sqlite, tmp_path))
    (file,) = tmp_path.glob("*.npz")
    written, whole = file.read_bytes(), load(tmp_path, layout)
    assert whole is not None
    used = 0
    for number in range(_HARMS):
        file.write_bytes(_harmed(dice(number), written))
        found = load(tmp_path, layout)
        if found is not None:
            used += 1
            assert (found[1], found[0].words()) == (whole[1], whole[0].words()), number
            parts, others = whole[0].parts(), found[0].parts()
            assert all(np.array_equal(parts[name], others[name]) for name in parts), number
    assert used < _HARMS / 2


def test_processes_that_save_at_once_leave_one_whole_file(sqlite: Database, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    (layout,) = retention_layouts(_saved(sqlite, kept))
    found = load(kept, layout)
    assert found is not None

    def save_often() -> None:
        for _ in range(5):
            save(kept, layout, *found)
            assert load(kept, layout) is not None

    assert not [each for each in at_once(save_often, save_often, save_often) if each is not None]
    assert [path.name for path in kept.iterdir()] == [f"{layout.table.name}.npz"]


def test_whoever_reads_a_whole_table_is_given_time(database: Database) -> None:
    """PostgreSQL's limits for answers would end the reading of some million rows."""
    lanes = Lanes(database, RetentionView(UTC_EURO), orders_told(dice(29)))
    with snapshot(database, ColumnStore()) as connection:
        columns_of(connection, retention_layouts(lanes)[0])
        if connection.dialect.name == "postgresql":
            for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
                assert connection.exec_driver_sql(f"SHOW {limit}").scalar_one() == "10min"


def test_a_folder_that_is_named_is_where_columns_are_left(
    database: Database, tmp_path: Path
) -> None:
    told = ProjectionSettings(columns_folder=tmp_path / "columns", columns_mib=3)
    kept = ColumnStore(told.columns_folder, most=told.columns_bytes)
    named = build(database, KeysInMemory(), "UTC", "EUR", kept)
    assert named.columns.folder == tmp_path / "columns"
    assert told.columns_bytes == 3 * 2**20
    assert build(database, KeysInMemory(), "UTC", "EUR").columns.folder == database.beside
