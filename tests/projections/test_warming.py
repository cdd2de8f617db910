"""What answers need is read when a process begins to serve, before anybody asks."""

from __future__ import annotations

from random import Random

from crm_projections.columns.store import ColumnStore
from crm_projections.columns.warming import Warming
from crm_projections.engine.database import Database
from crm_projections.views import questions
from crm_projections.views.retention.projector import RetentionView

from tests.projections.lanes import Lanes
from tests.projections.test_columns import orders_told, retention_layouts, snapshot
from tests.support.until import until
from tests.support.viewing import UTC_EURO


def _all_taken(database: Database) -> Lanes:
    told = orders_told(Random(3))  # noqa: S311 (to be repeated)
    lanes = Lanes(database, RetentionView(UTC_EURO), told)
    for lane in lanes.left():
        lanes.take(lane, 1_000)
    return lanes


async def test_the_first_question_finds_what_was_read_at_the_start(database: Database) -> None:
    lanes, store = _all_taken(database), ColumnStore()
    (layout,) = retention_layouts(lanes)
    async with Warming(database, store, questions(UTC_EURO)).beside():
        await until(lambda: store.tables == [layout.table.name])
    with database.writing() as connection:
        connection.exec_driver_sql(f'UPDATE "{layout.table.name}" SET amount = 1')
    with snapshot(database, store) as connection:
        found = store.at(connection, layout, lanes.opened.generation)
    assert found.size
    assert 1 not in found["amount"].tolist()


def test_whoever_stops_begins_no_further_table(database: Database) -> None:
    _all_taken(database)
    store = ColumnStore()
    warming = Warming(database, store, questions(UTC_EURO))
    warming.stop()
    warming.run()
    assert store.tables == []


def test_a_view_that_cannot_be_read_is_left_to_the_first_question(
    database: Database,
) -> None:
    lanes, store = _all_taken(database), ColumnStore()
    (layout,) = retention_layouts(lanes)
    with database.writing() as connection:
        connection.exec_driver_sql(f'ALTER TABLE "{layout.table.name}" RENAME TO elsewhere')
    Warming(database, store, questions(UTC_EURO)).run()
    with database.writing() as connection:
        connection.exec_driver_sql(f'ALTER TABLE elsewhere RENAME TO "{layout.table.name}"')
    with snapshot(database, store) as connection:
        assert store.at(connection, layout, lanes.opened.generation).size
