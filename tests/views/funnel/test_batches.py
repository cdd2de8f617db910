"""What is read of a unit before a batch depends on the batch; what is written never does."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from crm_projections.views.funnel.projector import FunnelView
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, select

from tests.support.viewing import UTC_EURO, Viewing, at
from tests.views.funnel import deals
from tests.views.test_two_times import BEGIN, Log, Step, deal_step, steps


def viewed(history: list[Step], batch: int) -> Viewing:
    log = Log(Viewing(FunnelView(UTC_EURO)))
    log.viewing.tell(deals.defined(at("2020-01-01")))
    opened: set[int] = set()
    for number, step in enumerate(history):
        if step.unit not in opened:
            opened.add(step.unit)
            log.tell(step, deals.opened(f"deal{step.unit}", BEGIN + timedelta(days=step.day)))
        log.tell(step, deal_step(step, number))
    log.flush(batch)
    return log.viewing


def rows(viewing: Viewing, table: Table) -> Counter[tuple[object, ...]]:
    columns = [column for column in table.c if column.name != "id"]
    with viewing.engine.connect() as connection:
        return Counter(tuple(row) for row in connection.execute(select(*columns)))


@settings(max_examples=60, deadline=None)
@given(steps(["advance", "back", "win", "lose", "reopen"]), st.integers(1, 6))
def test_batches_of_any_size_leave_the_same_rows(history: list[Step], batch: int) -> None:
    apart, whole = viewed(history, batch), viewed(history, 1_000)
    for name in ("events", "standings", "moves"):
        table = getattr(whole.tables, name)
        assert rows(apart, table) == rows(whole, table), name
