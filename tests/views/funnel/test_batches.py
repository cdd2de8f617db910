"""What is read of a unit before a batch depends on the batch; what is written never does."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select

from tests.support.viewing import Viewing
from tests.views.test_two_times import Step, deals_told, steps


def rows(viewing: Viewing, table: Table) -> Counter[tuple[object, ...]]:
    columns = [column for column in table.c if column.name != "id"]
    with viewing.engine.connect() as connection:
        return Counter(tuple(row) for row in connection.execute(select(*columns)))


@settings(max_examples=60, deadline=None)
@given(steps(["advance", "back", "win", "lose", "reopen"]), st.integers(1, 6))
def test_batches_of_any_size_leave_the_same_rows(history: list[Step], batch: int) -> None:
    apart, whole = (deals_told(history, size).viewing for size in (batch, 1_000))
    for name in ("events", "standings", "moves"):
        table = getattr(whole.tables, name)
        assert rows(apart, table) == rows(whole, table), name
