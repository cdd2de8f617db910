"""What a view waits out, and what it stops before."""

from dataclasses import replace

from crm_events.contracts.contacts import LeadCaptured, LeadTagged
from crm_events.envelope import Envelope
from crm_projections.engine.stopping import stops

from tests.projections.rig import Rig, lead
from tests.projections.tags import TagsView


async def test_an_unknown_type_stops_the_view_before_it(rig: Rig) -> None:
    rig.tag(1, "a")
    rig.log.append_raw(lead(1), "crm.contacts.LeadPraised.v1", b"{}")
    rig.tag(1, "b")
    process = await rig.start()
    view = process.views[0]
    await process.until(lambda: process.projection().stopped is not None, "the view stops")
    stopped = process.projection().stopped or ""
    assert "LeadPraised.v1" in stopped
    assert "upgrade" in stopped
    assert [row[2] for row in rig.rows(view)] == ["a"]
    with rig.database.reading() as connection:
        assert stops(connection) == {"tags": stopped}


async def test_an_upgraded_view_goes_on_where_it_stopped(rig: Rig) -> None:
    rig.offsets = True
    rig.tag(1, "a")
    rig.log.append_raw(lead(1), "crm.contacts.LeadPraised.v1", b"{}")
    rig.tag(1, "b")
    old = await rig.start()
    await old.until(lambda: old.projection().stopped is not None, "the view stops")
    lane = next(lane for lane, events in rig.log.lanes.items() if events)
    known = rig.log.append(lead(1), LeadTagged(tag="now known"))[0]
    rig.log.lanes[lane].pop()
    unknown = rig.log.lanes[lane][1]
    rig.log.lanes[lane][1] = _known_as(unknown, known)
    new = await rig.start()
    await new.until(lambda: rig.seen(new.views[0]) == 3, "the rest is taken")
    assert [row[2] for row in rig.rows(new.views[0])] == ["a", "now known", "b"]
    with rig.database.reading() as connection:
        assert not stops(connection)


async def test_other_views_go_on_beside_a_stopped_one(rig: Rig) -> None:
    for number in range(200):
        rig.tag(number, "bad")
    process = await rig.start(TagsView("tags", poisonous=["bad"]), TagsView("healthy"))
    await process.until(lambda: rig.seen(process.views[1]) == 200, "the healthy view is done")
    assert process.projection("tags").stopped
    rig.tag(1, "more")
    await process.until(lambda: rig.seen(process.views[1]) == 201, "and goes on")


async def test_unreachable_keys_are_waited_for(rig: Rig) -> None:
    rig.log.append(lead(1), LeadCaptured(person_id=lead(9), name="Ada", source="web"))
    rig.tag(2, "a")
    process = await rig.start()
    view = process.views[0]
    rig.keys.reachable = False
    await process.until(lambda: process.projection().waiting is not None, "the view waits")
    await process.turn(3)
    assert rig.seen(view) == 0
    rig.keys.reachable = True
    await process.until(lambda: rig.seen(view) == 2, "everything is taken")
    assert not rig.parked()


async def test_a_view_without_personal_data_goes_on_meanwhile(rig: Rig) -> None:
    rig.log.append(lead(1), LeadCaptured(person_id=lead(9), name="Ada", source="web"))
    rig.tag(1, "a")
    rig.keys.reachable = False
    process = await rig.start(TagsView("tags"), TagsView("plain", handles=[LeadTagged]))
    await process.until(lambda: rig.seen(process.views[1]) == 2, "the plain view is done")
    assert rig.seen(process.views[0]) == 0
    rig.keys.reachable = True
    await process.until(lambda: rig.seen(process.views[0]) == 2, "the other one follows")


async def test_tables_of_another_definition_are_not_touched(rig: Rig) -> None:
    rig.tag(1, "a")
    first = await rig.start(TagsView(version=1))
    await first.until(lambda: rig.seen(first.views[0]) == 1, "taken by version 1")
    second = await rig.start(TagsView(version=2))
    await second.turn()
    assert "rebuild the view" in (second.projection().stopped or "")
    assert rig.seen(first.views[0]) == 1


def _known_as(unknown: Envelope, known: Envelope) -> Envelope:
    return replace(unknown, type=known.type, data=known.data)
