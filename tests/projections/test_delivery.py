"""Whatever the allowed delivery (repeats, repeated suffixes, any cuts), the end is the same."""

import asyncio
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from crm_events.contracts.contacts import LeadQualified, LeadTagged
from crm_events.event import Event
from crm_events.feed.port import Lane, LaneBatch
from crm_projections.engine.database import sqlite_database
from crm_projections.engine.digest import digest_of
from crm_projections.engine.generation import migrate
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.projections.rig import Rig, lead
from tests.projections.tags import TagsView

EVENTS = st.sampled_from([LeadTagged(tag="a"), LeadTagged(tag="b"), LeadQualified()])
LOGS = st.lists(st.tuples(st.integers(0, 3), EVENTS), min_size=1, max_size=25)
CUTS = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 8)), max_size=12)
"""Each delivery hands out so many new records after so many that were handed out before."""


@settings(max_examples=25, deadline=None)
@given(log=LOGS, cuts=CUTS, restarts=st.sets(st.integers(0, 11)))
def test_every_delivery_ends_in_the_same_state(
    log: list[tuple[int, Event]], cuts: list[tuple[int, int]], restarts: set[int]
) -> None:
    asyncio.run(_delivered(log, cuts, restarts))


async def _delivered(
    log: Sequence[tuple[int, Event]], cuts: Sequence[tuple[int, int]], restarts: set[int]
) -> None:
    folder = Path(tempfile.mkdtemp(prefix="crm-delivery-"))
    database = sqlite_database(folder / "views.db")
    migrate(database)
    rig = Rig(database)
    for number, event in log:
        rig.log.append(lead(number), event)
    try:
        await _misdeliver(rig, cuts, restarts)
        _holds_exactly(rig)
    finally:
        rig.stop()
        database.close()
        shutil.rmtree(folder)


async def _misdeliver(rig: Rig, cuts: Sequence[tuple[int, int]], restarts: set[int]) -> None:
    process = await rig.start()
    read: dict[Lane, int] = {}
    for number, (fresh, again) in enumerate(cuts):
        for lane, events in list(rig.log.lanes.items()):
            start = max(read.get(lane, 0) - again, 0)
            end = min(read.get(lane, 0) + fresh, len(events))
            read[lane] = max(end, read.get(lane, 0))
            if events[start:end]:
                complete_to = events[end - 1].sequence
                batch = LaneBatch(lane, events[start:end], None, complete_to)
                process.feed.deliveries.append(batch)
        if number in restarts:
            process = await rig.start()
        await process.turn(len(process.feed.deliveries) + 1)
    total = sum(rig.log.heads.values())
    await process.until(lambda: rig.seen(TagsView()) == total, "all events taken")


def _holds_exactly(rig: Rig) -> None:
    wanted = sorted(
        (e.aggregate_id, e.aggregate_version)
        for e in rig.log.envelopes("contacts")
        if e.type == LeadTagged.TYPE
    )
    assert [row[:2] for row in rig.rows(TagsView())] == wanted
    for lane, state in rig.states(TagsView()).items():
        assert state.digest == digest_of(event.id for event in rig.log.lanes[lane])
        assert state.seen == len(rig.log.lanes[lane])
