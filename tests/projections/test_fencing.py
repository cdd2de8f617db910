"""Two processes on the same lanes, and crashes: every event has its effect once."""

import asyncio
from collections.abc import Mapping

import pytest
from crm_events.feed.port import Lane, LanePosition
from crm_projections.engine.rebuild import rebuild

from tests.projections.rig import Process, Rig
from tests.projections.tags import TagsView


class Crash(Exception):
    pass


async def test_a_zombie_is_fenced_and_reads_again(rig: Rig) -> None:
    rig.tag(1, "a")
    zombie = await rig.start()
    view = zombie.views[0]
    await zombie.until(lambda: rig.seen(view) == 1, "first event taken")
    rig.tag(1, "b")
    owner = await rig.start()
    await owner.until(lambda: rig.seen(view) == 2, "taken by the new owner")
    await zombie.turn(3)
    assert zombie.feed.rewinds
    assert rig.seen(view) == 2
    assert [row[2] for row in rig.rows(view)] == ["a", "b"]


async def test_two_runners_at_once_apply_once(rig: Rig) -> None:
    processes = [await rig.start(), await rig.start()]
    view = processes[0].views[0]
    for number in range(60):
        rig.tag(number, "a", "b", "c")
    await asyncio.gather(
        *(p.until(lambda: rig.seen(view) == 180, "all events taken") for p in processes)
    )
    assert len(rig.rows(view)) == 180


async def test_replicas_that_start_together_make_one_set_of_tables(rig: Rig) -> None:
    rig.tag(1, "a")
    processes = await asyncio.gather(*(rig.start() for _ in range(4)))
    await asyncio.gather(*(p.turn(3) for p in processes))
    assert len(rig.rows(processes[0].views[0])) == 1


async def test_crash_between_sql_and_feed_commit_repeats_nothing(rig: Rig) -> None:
    rig.tag(1, "a", "b")
    process = await rig.start()
    view = process.views[0]
    _crash_at_commit(process)
    with pytest.raises(Crash):
        await process.turn()
    assert rig.seen(view) == 2
    restarted = await rig.start()
    rig.tag(1, "c")
    await restarted.until(lambda: rig.seen(view) == 3, "the next event taken")
    assert [row[2] for row in rig.rows(view)] == ["a", "b", "c"]


async def test_offsets_from_before_a_crash_bring_only_repeats(rig: Rig) -> None:
    """Kafka's own offset is behind; the SQL position wins, and a reread changes nothing."""
    rig.offsets = True
    rig.tag(1, "a", "b")
    process = await rig.start()
    view = process.views[0]
    await process.until(lambda: rig.seen(view) == 2, "all events taken")
    lane = next(lane for lane, state in rig.states(view).items() if state.sequence)
    before = rig.states(view)[lane]
    process.feed.deliveries.append(process.feed.batch(lane, 0))
    await process.turn()
    assert rig.states(view)[lane] == before


async def test_a_crash_inside_the_transaction_leaves_no_trace(rig: Rig) -> None:
    rig.tag(1, "a")
    process = await rig.start(_DyingView())
    with pytest.raises(SystemExit):
        await process.turn()
    restarted = await rig.start()
    assert rig.seen(restarted.views[0]) == 0
    await restarted.until(lambda: rig.seen(restarted.views[0]) == 1, "taken after the restart")


async def test_lanes_that_come_back_are_read_from_their_rows(rig: Rig) -> None:
    rig.tag(1, "a")
    process = await rig.start()
    view = process.views[0]
    await process.until(lambda: rig.seen(view) == 1, "first event taken")
    process.feed.lost_lanes = set(rig.log.lanes)
    await process.turn()
    rig.tag(1, "b")
    other = await rig.start()
    await other.until(lambda: rig.seen(view) == 2, "taken by the other")
    rig.tag(1, "c")
    process.feed.lost_lanes = set()
    await process.until(lambda: rig.seen(view) == 3, "taken after coming back")
    assert [row[2] for row in rig.rows(view)] == ["a", "b", "c"]


class _DyingView(TagsView):
    def apply(self, *arguments: object) -> None:
        super().apply(*arguments)  # type: ignore[arg-type]
        raise SystemExit


def _crash_at_commit(process: Process) -> None:
    class CrashingFeed(type(process.feed)):  # type: ignore[misc]
        async def commit(self, _: Mapping[Lane, LanePosition]) -> None:
            raise Crash

    process.feed.__class__ = CrashingFeed


async def test_lane_that_comes_back_is_parked_as_its_last_owner_left_it(rig: Rig) -> None:
    """Its next event waits behind what another process parked meanwhile."""
    rig.tag(1, "a")
    rig.tag(2, "a")
    first = await rig.start(TagsView(poisonous=["bad"]))
    view = first.views[0]
    await first.until(lambda: rig.seen(view) == 2, "first events taken")
    first.feed.lost_lanes = set(rig.states(view))
    await first.turn()
    rig.tag(1, "bad", "b")
    second = await rig.start(TagsView(poisonous=["bad"]))
    await second.until(lambda: rig.seen(view) == 4, "parked by the second")
    first.feed.lost_lanes = set()
    rig.tag(1, "c")
    await _read_all_again(first)
    await first.until(lambda: rig.seen(view) == 5, "the next one taken by the first")
    assert [letter.kind for letter in rig.parked()] == ["failed", "behind", "behind"]
    assert [row[2] for row in rig.rows(view)] == ["a", "a"]


async def test_lane_that_comes_after_a_rebuild_is_taken_into_the_new_tables(rig: Rig) -> None:
    """Whoever followed the old ones has no row of this lane that could be fenced."""
    rig.tag(1, "a")
    first, second = await rig.start(), await rig.start()
    view = first.views[0]
    await second.until(lambda: rig.seen(view) == 1, "first event taken")
    lane = next(lane for lane, state in rig.states(view).items() if state.sequence)
    first.feed.lost_lanes = {lane}
    await first.turn(2)
    await rebuild(view, rig.workplace(), rig.make_feed)
    first.feed.lost_lanes = set()
    rig.tag(1, "b")
    await _read_all_again(first)
    await first.until(lambda: rig.seen(view) == 2, "the next one taken by the first")
    assert [row[2] for row in rig.rows(view)] == ["a", "b"]


async def test_lane_that_went_and_came_unnoticed_is_read_from_its_row(rig: Rig) -> None:
    """Another process moved it meanwhile: what comes next seems to lie ahead of a gap."""
    rig.tag(1, "a")
    first, second = await rig.start(), await rig.start()
    view = first.views[0]
    await first.until(lambda: rig.seen(view) == 1, "first event taken by the first")
    lane = next(lane for lane, state in rig.states(view).items() if state.sequence)
    second.feed.lost_lanes = set(rig.states(view)) - {lane}
    rig.tag(1, "b")
    await second.until(lambda: rig.seen(view) == 2, "second event taken by the second")
    first.feed.lost_lanes = set(rig.states(view)) - {lane}
    await _read_all_again(first)
    rig.tag(1, "c")
    await first.until(lambda: rig.seen(view) == 3, "the next one taken by the first")
    assert [row[2] for row in rig.rows(view)] == ["a", "b", "c"]


async def _read_all_again(process: Process) -> None:
    """As after a rebalance: lanes are sought at their stored positions."""
    await process.feed.start()
