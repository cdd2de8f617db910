"""A view takes every event once, whatever the delivery repeats, and moves with its position."""

from crm_events.contracts.contacts import LeadQualified, LeadTagged
from crm_events.feed.store import lanes_of
from crm_projections.engine.digest import digest_of
from crm_projections.engine.position import complete_to

from tests.projections.rig import Rig, lead
from tests.projections.tags import TagsView


async def test_events_become_rows_in_order(rig: Rig) -> None:
    for number in range(30):
        rig.tag(number, "a", "b")
    process = await rig.start()
    await process.until(lambda: rig.seen(process.views[0]) == 60, "all events taken")
    assert rig.rows(process.views[0]) == sorted(
        (lead(n), version, tag) for n in range(30) for version, tag in ((1, "a"), (2, "b"))
    )


async def test_redelivered_events_change_nothing(rig: Rig) -> None:
    rig.tag(1, "a", "b", "c")
    process = await rig.start()
    view = process.views[0]
    await process.until(lambda: rig.seen(view) == 3, "all events taken")
    before = rig.rows(view), rig.states(view)
    lane = next(lane for lane, state in rig.states(view).items() if state.sequence)
    process.feed.deliveries.extend([process.feed.batch(lane, 0), process.feed.batch(lane, 1)])
    await process.turn(2)
    assert (rig.rows(view), rig.states(view)) == before
    assert not process.projection().gaps


async def test_a_restart_goes_on_where_the_rows_are(rig: Rig) -> None:
    rig.tag(1, "a")
    first = await rig.start()
    await first.until(lambda: rig.seen(first.views[0]) == 1, "first event taken")
    rig.tag(1, "b")
    second = await rig.start()
    await second.until(lambda: rig.seen(second.views[0]) == 2, "second event taken")
    assert [row[2] for row in rig.rows(second.views[0])] == ["a", "b"]


async def test_types_not_handled_move_the_position(rig: Rig) -> None:
    rig.log.append(lead(1), LeadTagged(tag="a"), LeadQualified(), LeadTagged(tag="b"))
    process = await rig.start()
    view = process.views[0]
    await process.until(lambda: rig.seen(view) == 3, "all events taken")
    state = next(s for s in rig.states(view).values() if s.sequence)
    assert (state.applied, state.skipped, state.parked) == (2, 1, 0)


async def test_sums_equal_those_of_the_log(rig: Rig) -> None:
    for number in range(40):
        rig.log.append(lead(number), LeadTagged(tag="a"), LeadQualified())
    process = await rig.start()
    view = process.views[0]
    await process.until(lambda: rig.seen(view) == 80, "all events taken")
    for lane, state in rig.states(view).items():
        events = rig.log.lanes[lane]
        assert state.digest == digest_of(event.id for event in events)
        assert state.seen == len(events)


async def test_every_lane_is_complete_to_the_head(rig: Rig) -> None:
    rig.tag(1, "a", "b")
    process = await rig.start()
    view = process.views[0]

    def complete() -> bool:
        return complete_to(rig.states(view), lanes_of(["contacts"])) == {"contacts": 2}

    await process.until(complete, "complete in every lane")


async def test_views_of_one_feed_keep_their_own_positions(rig: Rig) -> None:
    rig.tag(1, "a")
    alone = await rig.start(TagsView("tags"))
    await alone.until(lambda: rig.seen(alone.views[0]) == 1, "first view taken")
    rig.tag(2, "b")
    both = await rig.start(TagsView("tags"), TagsView("later"))
    await both.until(lambda: rig.seen(both.views[1]) == 2, "second view caught up")
    assert rig.rows(both.views[0]) == rig.rows(both.views[1])


async def test_the_feed_hears_of_positions_after_the_commit(rig: Rig) -> None:
    rig.tag(1, "a")
    process = await rig.start()
    await process.until(lambda: rig.seen(process.views[0]) == 1, "event taken")
    stored = {lane: s.position for lane, s in rig.states(process.views[0]).items()}
    assert process.feed.commits[-1].items() <= stored.items()
