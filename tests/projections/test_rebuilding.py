"""A view computed anew from the log equals the live one, and takes its place without a break."""

import asyncio

import pytest
from crm_events.contracts.contacts import LeadQualified, LeadTagged
from crm_events.feed.port import Lane
from crm_events.partitions import partition_of
from crm_projections.engine.compare import differences
from crm_projections.engine.filling import Source
from crm_projections.engine.generation import open_generation, open_live
from crm_projections.engine.position import Fenced, Generation, ensure_lanes
from crm_projections.engine.rebuild import RebuildFailed, rebuild
from crm_projections.engine.tables import POSITIONS
from crm_projections.engine.verifying import NeverEqual, Verdict, verify
from sqlalchemy import delete, insert, inspect, update

from tests.projections.rig import Rig, lead
from tests.projections.tags import TagsView


async def _verified(rig: Rig, view: TagsView, patience: float = 20.0) -> Verdict:
    return await verify(Source(view, rig.workplace(), rig.make_feed), patience)


async def _filled(rig: Rig, view: TagsView | None = None) -> TagsView:
    for number in range(40):
        rig.log.append(lead(number), LeadTagged(tag="a"), LeadQualified(), LeadTagged(tag="b"))
    process = await rig.start(*([view] if view else []))
    taken = process.views[0]
    await process.until(lambda: rig.seen(taken) == 120, "all events taken")
    return taken


async def test_rebuilt_equals_live(rig: Rig) -> None:
    view = await _filled(rig)
    verdict = await _verified(rig, view)
    assert (verdict.differences, verdict.events) == ([], 120)


async def test_check_shows_a_row_that_is_wrong(rig: Rig) -> None:
    view = await _filled(rig)
    table = open_live(rig.database, view, 0).tables
    with rig.database.writing() as connection:
        connection.execute(update(table).where(table.c.lead == lead(3)).values(tag="forged"))
    found = (await _verified(rig, view)).differences
    assert [difference.what for difference in found] == ["tags_fact__g1"]
    assert "forged" in str(found[0])
    assert (found[0].only_live, found[0].only_log) == (2, 2)
    assert len(found[0].units) == 2


async def test_check_leaves_nothing_behind(rig: Rig) -> None:
    view = await _filled(rig)
    with rig.database.reading() as connection:
        before = sorted(inspect(connection).get_table_names())
    await _verified(rig, view)
    with rig.database.reading() as connection:
        assert sorted(inspect(connection).get_table_names()) == before


async def test_a_view_that_is_behind_is_checked_where_it_stands(light_rig: Rig) -> None:
    rig = light_rig
    view = await _filled(rig)
    rig.tag(1, "not taken by the live view")
    verdict = await _verified(rig, view)
    assert (verdict.differences, verdict.events) == ([], 120)


async def test_an_event_that_the_view_only_says_it_took_is_found(light_rig: Rig) -> None:
    """It says it is complete up to there, and is not."""
    rig = light_rig
    view = await _filled(rig)
    rig.tag(1, "passed over")
    with rig.database.writing() as connection:
        connection.execute(update(POSITIONS).values(complete_to=rig.log.heads["contacts"]))
    found = (await _verified(rig, view)).differences
    lane = Lane("contacts", partition_of(lead(1)))
    assert [difference.what for difference in found] == [
        f"events of contacts/{lane.partition}",
        "tags_fact__g1",
    ]


async def test_a_log_that_is_shorter_than_the_view_is_told(light_rig: Rig) -> None:
    rig = light_rig
    view = await _filled(rig)
    rig.log.lanes.clear()
    rig.log.heads.clear()
    with pytest.raises(NeverEqual, match="does not come to the position"):
        await _verified(rig, view, patience=0.3)


async def test_checks_hold_while_writes_go_on(rig: Rig) -> None:
    view = await _filled(rig)
    process = await rig.start(view)
    checking = asyncio.create_task(_verified(rig, view))
    tags = 0
    while not checking.done():
        rig.tag(tags % 40, f"more {tags}")
        tags += 1
        await process.turn()
    assert checking.result().differences == []
    assert tags > 0


async def test_live_consumption_goes_on_after_a_rebuild(rig: Rig) -> None:
    rig.tag(1, "a")
    process = await rig.start()
    view = process.views[0]
    await process.until(lambda: rig.seen(view) == 1, "first event taken")
    generation = await rebuild(view, rig.workplace(), rig.make_feed)
    assert generation == Generation("tags", 2)
    rig.tag(1, "b")
    await process.until(lambda: rig.seen(view) == 2, "the next event lands in generation 2")
    assert [row[2] for row in rig.rows(view)] == ["a", "b"]
    assert process.projection().stopped is None


async def test_a_replaced_generation_gets_no_new_lanes(rig: Rig) -> None:
    """A process that had just begun when the view was replaced takes to the new generation."""
    process = await rig.start()
    view = process.views[0]
    opened = open_live(rig.database, view, 0)
    await process.turn()
    await rebuild(view, rig.workplace(), rig.make_feed)
    rig.tag(1, "a")
    await process.until(lambda: rig.seen(view) == 1, "the event lands in generation 2")
    assert [row[2] for row in rig.rows(view)] == ["a"]
    with rig.database.writing() as connection, pytest.raises(Fenced, match="was replaced"):
        ensure_lanes(connection, opened.generation, [Lane("contacts", 0)])


async def test_a_rebuild_mends_wrong_rows(rig: Rig) -> None:
    view = await _filled(rig)
    table = open_live(rig.database, view, 0).tables
    right = rig.rows(view)
    with rig.database.writing() as connection:
        connection.execute(delete(table).where(table.c.lead == lead(3)))
    await rebuild(view, rig.workplace(), rig.make_feed)
    assert rig.rows(view) == right


async def test_a_rebuild_brings_a_new_definition_live(rig: Rig) -> None:
    await _filled(rig)
    newer = TagsView(version=2, handles=[LeadTagged])
    await rebuild(newer, rig.workplace(), rig.make_feed)
    process = await rig.start(newer)
    rig.tag(1, "c")
    await process.until(lambda: rig.seen(newer) == 121, "generation 2 follows")
    assert process.projection().stopped is None


async def test_a_failed_rebuild_changes_nothing(rig: Rig) -> None:
    view = await _filled(rig)
    right = rig.rows(view)
    for number in range(200):
        rig.tag(number, "bad")
    with pytest.raises(RebuildFailed, match="Mend the cause"):
        await rebuild(TagsView(poisonous=["a", "bad"]), rig.workplace(), rig.make_feed)
    assert rig.rows(view) == right


async def test_what_was_skipped_stays_out_of_a_rebuild(rig: Rig) -> None:
    rig.tag(1, "a", "bad", "c")
    poisoned = TagsView(poisonous=["bad"])
    process = await rig.start(poisoned)
    await process.until(lambda: len(rig.parked()) == 2, "two events are parked")
    rig.resolver(poisoned).skip(rig.parked()[0].id, "entered by mistake", by="operator")
    assert (await _verified(rig, TagsView())).differences == []
    await rebuild(TagsView(), rig.workplace(), rig.make_feed)
    assert [row[2] for row in rig.rows(poisoned)] == ["a", "c"]


async def test_offsets_of_the_live_generation_are_taken_over(rig: Rig) -> None:
    rig.offsets = True
    view = await _filled(rig)
    before = {lane: state.offset for lane, state in rig.states(view).items() if state.offset}
    rig.offsets = False
    await rebuild(view, rig.workplace(), rig.make_feed)
    after = {lane: state.offset for lane, state in rig.states(view).items() if state.offset}
    assert after == before
    rig.offsets = True
    process = await rig.start(view)
    rig.tag(1, "more")
    await process.until(lambda: rig.seen(view) == 121, "reading goes on at the offset")


def test_comparison_sees_a_doubled_row(rig: Rig) -> None:
    view = TagsView()
    one = open_live(rig.database, view, 0)
    other = open_generation(view, Generation("tags", 2))
    row = {"lead": lead(1), "version": 1, "tag": "a", "effective": 0}
    with rig.database.defining() as connection:
        other.metadata.create_all(connection)
        connection.execute(insert(one.tables), [{**row, "event_id": lead(7)}])
        connection.execute(
            insert(other.tables), [{**row, "event_id": lead(7)}, {**row, "event_id": lead(8)}]
        )
        found = differences((connection, one), (connection, other))
    assert str(found[0]).startswith(
        "tags_fact__g1: 0 rows only in the live view, 1 only by the log"
    )
