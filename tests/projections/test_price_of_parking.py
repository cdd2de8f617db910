"""What events set aside cost a view, in statements: those one can count, and times not."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from crm_events.contracts.contacts import LeadTagged
from crm_projections.engine.view import Received
from sqlalchemy import Connection, Engine, Table, event

from tests.projections.rig import Process, Rig, lead
from tests.projections.tags import TagsView


@contextmanager
def _told() -> Iterator[list[str]]:
    """Every statement and every beginning of a transaction meanwhile."""
    told: list[str] = []

    def executed(*given: Any) -> None:
        told.append(given[2])

    def begun(_: Any) -> None:
        told.append("BEGIN")

    event.listen(Engine, "before_cursor_execute", executed)
    event.listen(Engine, "begin", begun)
    try:
        yield told
    finally:
        event.remove(Engine, "before_cursor_execute", executed)
        event.remove(Engine, "begin", begun)


async def _taken(rig: Rig, process: Process, *, poisoned: int) -> int:
    """How many it takes to take one batch, in which so many leads have bytes that say nothing and
    another event behind those."""
    for number in range(poisoned):
        id = 100 * poisoned + number
        rig.log.append_raw(lead(id), LeadTagged.TYPE, b'{"tag": 7')
        rig.tag(id, "behind")
    rig.tag(1, f"beside {poisoned}")
    wanted = rig.seen(process.views[0]) + 2 * poisoned + 1
    with _told() as told:
        await process.turn()
    assert rig.seen(process.views[0]) == wanted
    return len(told)


async def test_poison_costs_two_statements_in_the_batch_it_is_in(light_rig: Rig) -> None:
    process = await light_rig.start()
    for number in range(200):
        light_rig.tag(number, "before")
    await process.until(lambda: light_rig.seen(process.views[0]) == 200, "all lanes are known")
    clean = await _taken(light_rig, process, poisoned=0)
    counts = [await _taken(light_rig, process, poisoned=many) for many in (1, 3)]
    assert [len(light_rig.parked()), *counts] == [8, clean + 2, clean + 2]


class _CountingView(TagsView):
    """Counts the events it is given to apply. `late` ones fail when nobody has them in hand."""

    given = 0
    late: Sequence[str] = ()

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        self.given += len(batch)
        super().apply(connection, tables, batch)
        told = [each.event.tag for each in batch if isinstance(each.event, LeadTagged)]
        if any(tag in self.late for tag in told):
            raise ValueError("found out too late")


async def _given(rig: Rig, view: _CountingView, tags: Sequence[str]) -> int:
    """How many events are applied until a batch of so many leads is through."""
    process = await rig.start(view)
    for number, tag in enumerate(tags):
        rig.tag(number, tag)
        rig.tag(number, "behind")
    await process.until(lambda: rig.seen(view) == 2 * len(tags), "everything is taken")
    return view.given


@pytest.mark.parametrize("where", [0, 57, 199])
async def test_what_fails_in_hand_costs_one_more_pass(light_rig: Rig, where: int) -> None:
    tags = ["good"] * 200
    tags[where] = "bad"
    given = await _given(light_rig, _CountingView(poisonous=["bad"]), tags)
    assert [(p.kind, p.aggregate_id) for p in light_rig.parked()] == [
        ("failed", lead(where)),
        ("behind", lead(where)),
    ]
    assert given <= 400 + 400 + 4


async def test_what_fails_out_of_hand_is_found_all_the_same(light_rig: Rig) -> None:
    view = _CountingView()
    view.late = ["bad"]
    given = await _given(light_rig, view, ["good"] * 150 + ["bad"] + ["good"] * 49)
    assert {p.aggregate_id for p in light_rig.parked()} == {lead(150)}
    assert given <= 4 * 400


class _AccusingView(_CountingView):
    """Fails for one event while it has another in hand, which is innocent."""

    def apply(self, connection: Connection, tables: Table, batch: Sequence[Received]) -> None:
        told = {each.event.tag for each in list(batch) if isinstance(each.event, LeadTagged)}
        for _ in batch:
            if "bad" in told:
                raise ValueError("whoever it was")
        super().apply(connection, tables, batch)


async def test_an_innocent_suspect_is_applied(light_rig: Rig) -> None:
    view = _AccusingView()
    await _given(light_rig, view, ["good", "fine", "bad", *["good"] * 20])
    assert {p.aggregate_id for p in light_rig.parked()} == {lead(2)}
    assert len(light_rig.rows(view)) == 2 * 22
