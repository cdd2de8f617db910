"""Nothing is taken past a missing event, and what was refused or repeated heals by itself."""

from dataclasses import replace

from crm_events.contracts.contacts import LeadTagged
from crm_events.feed.port import Lane, LaneBatch
from crm_projections.engine.admission import admit

from tests.projections.rig import Rig, lead_in
from tests.projections.tags import TagsView
from tests.support.fake_feed import without


async def test_nothing_is_taken_past_a_lost_event(light_rig: Rig) -> None:
    rig = light_rig
    rig.tag(1, "a", "b", "c")
    process = await rig.start()
    view = process.views[0]
    process.feed.distort = lambda batch: without(batch, 2)
    await process.until(lambda: bool(process.projection().gaps), "the gap is noticed")
    assert [row[2] for row in rig.rows(view)] == ["a"]


async def test_a_lane_with_a_gap_is_read_again(light_rig: Rig) -> None:
    rig = light_rig
    rig.tag(1, "a", "b", "c")
    process = await rig.start()
    view = process.views[0]
    process.feed.distort = lambda batch: without(batch, 2)
    await process.until(lambda: bool(process.feed.rewinds), "the lane is read again")
    process.feed.distort = lambda batch: batch
    await process.until(lambda: rig.seen(view) == 3, "all events taken")
    assert not process.projection().gaps


async def test_other_lanes_go_on_beside_a_gap(light_rig: Rig) -> None:
    rig = light_rig
    broken, fine = lead_in(Lane("contacts", 0)), lead_in(Lane("contacts", 1))
    rig.log.append(broken, *_tags("a", "b"))
    rig.log.append(fine, *_tags("c", "d"))
    process = await rig.start()
    view = process.views[0]
    process.feed.distort = lambda batch: without(batch, 1)
    await process.until(lambda: rig.seen(view) == 2, "the other lane is taken")
    assert {row[0] for row in rig.rows(view)} == {fine}


async def test_a_suffix_after_a_refused_batch_heals(light_rig: Rig) -> None:
    """The topic then holds 1 2 3 4 6 7 8 5 6 7 8."""
    rig = light_rig
    rig.offsets = True
    rig.tag(1, *"abcdefgh")
    own = next(iter(lane for lane in rig.log.lanes.values() if lane))
    own[:] = [own[i - 1] for i in (1, 2, 3, 4, 6, 7, 8, 5, 6, 7, 8)]
    process = await rig.start()
    process.runner._pace = replace(process.runner._pace, batch=3)
    view = process.views[0]
    await process.until(lambda: rig.seen(view) == 8, "all events taken once")
    assert [row[2] for row in rig.rows(view)] == list("abcdefgh")
    await process.until(lambda: _offset(rig, view) == len(own), "the offset follows")
    assert not process.feed.rewinds


def test_position_stays_before_what_waits(light_rig: Rig) -> None:
    rig = light_rig
    rig.tag(1, *"abcd")
    lane = next(lane for lane, events in rig.log.lanes.items() if events)
    events = rig.log.lanes[lane]
    batch = LaneBatch(lane, [events[0], events[2], events[3]], 13, 4, (), [10, 11, 12])
    admission = admit(batch, last=0, offset=10)
    assert [item.record.sequence for item in admission.taken] == [1]
    assert [item.record.sequence for item in admission.ahead] == [3, 4]
    assert (admission.offset, admission.complete_to) == (11, 1)


def test_a_late_event_brings_those_that_waited(light_rig: Rig) -> None:
    rig = light_rig
    rig.tag(1, *"abc")
    lane = next(lane for lane, events in rig.log.lanes.items() if events)
    one, two, three = rig.log.lanes[lane]
    first = admit(LaneBatch(lane, [one, three], 12, 3, (), [10, 11]), last=0, offset=10)
    second = admit(LaneBatch(lane, [two], 13, 3, (), [12]), 1, first.offset, first.ahead)
    assert [item.record.sequence for item in second.taken] == [2, 3]
    assert (second.ahead, second.offset, second.complete_to) == ((), 13, 3)


def test_an_event_of_another_chain_is_not_taken(light_rig: Rig) -> None:
    """A store that was restored hands out old sequences anew."""
    rig = light_rig
    rig.tag(1, *"abc")
    lane = next(lane for lane, events in rig.log.lanes.items() if events)
    stranger = replace(rig.log.lanes[lane][2], prevsequence=1)
    admission = admit(LaneBatch(lane, [stranger], None, 3), last=2, offset=None)
    assert not admission.taken
    assert admission.ahead


def _tags(*tags: str) -> list[LeadTagged]:
    return [LeadTagged(tag=tag) for tag in tags]


def _offset(rig: Rig, view: TagsView) -> int | None:
    return next(s.offset for s in rig.states(view).values() if s.sequence)
