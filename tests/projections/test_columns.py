"""Columns that are kept say what the tables say: of every snapshot, whoever wrote in what order."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from crm_projections.columns.frame import Columns
from crm_projections.columns.layout import Layout
from crm_projections.columns.room import quarter_of_memory
from crm_projections.columns.store import ColumnStore, columns_of, whole
from crm_projections.engine.database import Database
from crm_projections.engine.view import Received
from crm_projections.views.funnel import kept
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.retention import orders
from crm_projections.views.retention.projector import RetentionView
from sqlalchemy import Connection
from structlog.testing import capture_logs

from tests.projections.lanes import Lanes
from tests.support.viewing import UTC_EURO, Told, Viewing, at, identity
from tests.views.funnel import deals
from tests.views.retention.test_retention import amended, order

BEGIN = at("2026-03-01")


def dice(seed: int) -> Random:
    return Random(seed)  # noqa: S311 (to be repeated)


def deals_told(chance: Random, events: int = 120) -> list[Received]:
    """Deals whose news come late, in the past, and as corrections of what was said before."""
    viewing = Viewing(FunnelView(UTC_EURO))
    log, versions = [viewing.received(deals.defined(BEGIN))], dict[str, int]()
    for number in range(events):
        unit, when = f"d{chance.randrange(20)}", BEGIN + timedelta(days=chance.randrange(9))
        told = _deal(chance, unit, when, number) if unit in versions else deals.opened(unit, when)
        if versions.get(unit, 0) > 1 and chance.random() < 0.2:
            told = Told(unit, told.event, when, identity(f"{unit}/{versions[unit]}"))
        versions[unit] = versions.get(unit, 0) + 1
        log.append(viewing.received(told))
    return log


def _deal(chance: Random, unit: str, when: Any, number: int) -> Told:
    match chance.randrange(4):
        case 0:
            return deals.advanced(unit, when, deals.TRIAL)
        case 1:
            return deals.won(
                unit, when, amount=deals.euros(10**number // 10 ** max(0, number - 13))
            )
        case 2:
            return deals.lost(unit, when)
        case _:
            return deals.reopened(unit, when, deals.OFFER)


def orders_told(chance: Random, events: int = 120) -> list[Received]:
    viewing = Viewing(RetentionView(UTC_EURO))
    seen: set[str] = set()
    log = []
    for number in range(events):
        name, when = f"o{chance.randrange(60)}", BEGIN + timedelta(days=chance.randrange(90))
        told = (amended if name in seen else order)(name, f"c{number % 7}", when, str(number))
        seen.add(name)
        log.append(viewing.received(told))
    return log


def said(columns: Columns) -> list[tuple[Any, ...]]:
    """The rows in words, in an order of their own; things by the first row that names each."""
    names = sorted(columns.arrays.keys() - columns.things.keys())
    told = [_words(columns, name) for name in names]
    order = sorted(range(columns.size), key=lambda row: repr([column[row] for column in told]))
    things = []
    for name in sorted(columns.things):
        first: dict[int, int] = {}
        numbers = columns[name].tolist()
        things.append([first.setdefault(numbers[row], place) for place, row in enumerate(order)])
    return [
        (*(column[row] for column in told), *(thing[place] for thing in things))
        for place, row in enumerate(order)
    ]


def _words(columns: Columns, name: str) -> list[Any]:
    values = columns[name].tolist()
    words = columns.words.get(name)
    return values if words is None else [words.value_of(value) for value in values]


@contextmanager
def snapshot(database: Database, store: ColumnStore) -> Iterator[Connection]:
    """A state of the database, begun: it begins with what is first read."""
    with database.reading() as connection:
        connection.execution_options(crm_columns=store)
        connection.exec_driver_sql("SELECT count(*) FROM view_position").scalar_one()
        yield connection


def check(connection: Connection, layouts: list[Layout]) -> None:
    for layout in layouts:
        kept_, read_ = columns_of(connection, layout), whole(connection, layout)
        assert said(kept_) == said(read_), layout.table.name


def funnel_layouts(lanes: Lanes) -> list[Layout]:
    tables = lanes.opened.tables
    return [kept.standings_layout(tables), kept.moves_layout(tables)]


def retention_layouts(lanes: Lanes) -> list[Layout]:
    return [orders.layout(lanes.opened.tables)]


@pytest.mark.parametrize("seed", range(4))
def test_kept_columns_equal_those_read_anew(database: Database, seed: int) -> None:
    chance, store = dice(seed), ColumnStore()
    lanes = Lanes(database, FunnelView(UTC_EURO), deals_told(chance))
    layouts = funnel_layouts(lanes)
    while left := lanes.left():
        lanes.take(chance.choice(left), chance.randint(1, 9))
        if chance.random() < 0.6:
            with snapshot(database, store) as connection:
                check(connection, layouts)


def test_kept_orders_equal_those_read_anew(database: Database) -> None:
    chance, store = dice(5), ColumnStore()
    lanes = Lanes(database, RetentionView(UTC_EURO), orders_told(chance))
    layouts = retention_layouts(lanes)
    while left := lanes.left():
        lanes.take(chance.choice(left), chance.randint(1, 9))
        with snapshot(database, store) as connection:
            check(connection, layouts)


def test_an_older_snapshot_is_answered_as_it_was(database: Database) -> None:
    chance, store = dice(7), ColumnStore()
    lanes = Lanes(database, FunnelView(UTC_EURO), deals_told(chance))
    layouts = funnel_layouts(lanes)
    while left := lanes.left():
        with snapshot(database, store) as older:
            if chance.random() < 0.5:
                check(older, layouts)
            lanes.take(chance.choice(left), chance.randint(1, 9))
            with snapshot(database, store) as newer:
                check(newer, layouts)
            check(older, layouts)


def test_what_was_parked_and_then_applied_is_found(database: Database) -> None:
    chance, store = dice(11), ColumnStore()
    lanes = Lanes(database, FunnelView(UTC_EURO), deals_told(chance))
    layouts = funnel_layouts(lanes)
    poisonous = frozenset(identity(f"d{number}") for number in (1, 5, 6))
    while left := lanes.left():
        lanes.take(chance.choice(left), chance.randint(1, 9), poisonous)
        with snapshot(database, store) as connection:
            check(connection, layouts)
    assert lanes.parked
    lanes.apply_parked()
    with snapshot(database, store) as connection:
        check(connection, layouts)


def test_what_is_new_is_read_alone(database: Database) -> None:
    """Rows that were settled are not read again, so it may be asked for with every answer."""
    store = ColumnStore()
    lanes = Lanes(database, RetentionView(UTC_EURO), orders_told(dice(13)))
    layout = retention_layouts(lanes)[0]
    for lane in lanes.left():
        lanes.take(lane, 1_000)
    with snapshot(database, store) as connection:
        before = columns_of(connection, layout)
        assert columns_of(connection, layout) is before
    with database.writing() as connection:
        connection.exec_driver_sql(f'UPDATE "{layout.table.name}" SET amount = 1')
    lanes.take(lanes.some_idle_lane(), 0)
    with snapshot(database, store) as connection:
        after = columns_of(connection, layout)
        assert after is not before
        assert after["amount"].tolist() == before["amount"].tolist()


def test_what_was_asked_least_recently_is_let_go_and_said_to_be(database: Database) -> None:
    store = ColumnStore(most=1)
    funnel = Lanes(database, FunnelView(UTC_EURO), deals_told(dice(17)))
    retention = Lanes(database, RetentionView(UTC_EURO), orders_told(dice(17)))
    for lanes in (funnel, retention):
        for lane in lanes.left():
            lanes.take(lane, 1_000)
    layouts = [*funnel_layouts(funnel), *retention_layouts(retention)]
    with snapshot(database, store) as connection, capture_logs() as logs:
        check(connection, layouts)
        check(connection, layouts[:1])
    assert store.tables == [layouts[0].table.name]
    let_go = [line["table"] for line in logs if line["event"] == "columns_let_go"]
    assert let_go == [layout.table.name for layout in layouts]
    assert all("CRM_COLUMNS_MIB" in line["remedy"] for line in logs)


def test_columns_take_a_quarter_of_what_there_is(tmp_path: Path) -> None:
    machine = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    none, open_ended, capped = tmp_path / "none", tmp_path / "v2", tmp_path / "v1"
    open_ended.write_text("max\n")
    capped.write_text(f"{256 * 2**20}\n")
    assert quarter_of_memory([none, open_ended]) == machine // 4
    assert quarter_of_memory([none, capped]) == 64 * 2**20
