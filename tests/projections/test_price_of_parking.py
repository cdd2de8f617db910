"""What events set aside cost a view, in statements: those one can count, and times not."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from crm_events.contracts.contacts import LeadTagged
from sqlalchemy import Engine, event

from tests.projections.rig import Process, Rig, lead


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
