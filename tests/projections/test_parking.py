"""A poison event parks its aggregate and nobody else's; people decide what becomes of it."""

from typing import Any

import pytest
from crm_events.contracts.contacts import LeadCaptured, LeadTagged
from crm_events.feed.port import Lane, LaneBatch, Unreadable
from crm_projections.engine.parking import MOST_FAILURES
from crm_projections.engine.resolving import LetterSettled, NoSuchLetter, WaitsBehind

from tests.projections.rig import Process, Rig, lead, lead_in
from tests.projections.tags import TagsView


async def _parked(rig: Rig) -> Process:
    """Lead 1 has a poisonous second event and two behind it; lead 2 is well."""
    rig.tag(1, "a", "bad", "c")
    rig.tag(2, "x", "y")
    process = await rig.start(TagsView(poisonous=["bad"]))
    await process.until(lambda: rig.seen(process.views[0]) == 5, "everything is accounted for")
    rig.tag(1, "d")
    rig.tag(2, "z")
    await process.until(lambda: rig.seen(process.views[0]) == 7, "everything is accounted for")
    return process


async def test_only_the_aggregate_of_a_poison_event_waits(rig: Rig) -> None:
    process = await _parked(rig)
    rows = {(row[0], row[2]) for row in rig.rows(process.views[0])}
    assert rows == {(lead(1), "a"), (lead(2), "x"), (lead(2), "y"), (lead(2), "z")}
    assert [(p.kind, p.aggregate_id) for p in rig.parked()] == [
        ("failed", lead(1)),
        ("behind", lead(1)),
        ("behind", lead(1)),
    ]


async def test_parked_events_count_and_sum_as_seen(rig: Rig) -> None:
    process = await _parked(rig)
    states = rig.states(process.views[0]).values()
    assert (sum(s.applied for s in states), sum(s.parked for s in states)) == (4, 3)


async def test_the_reason_names_the_fault_and_its_place(rig: Rig) -> None:
    await _parked(rig)
    assert rig.parked()[0].reason.startswith("ValueError: cannot take the tag 'bad'")


async def test_retry_after_a_fix_applies_all_in_order(rig: Rig) -> None:
    process = await _parked(rig)
    done = rig.resolver(TagsView()).retry(rig.parked()[0].id, by="operator")
    assert (done.applied, done.parked, done.reason) == (3, 0, None)
    view = process.views[0]
    assert [row[2] for row in rig.rows(view) if row[0] == lead(1)] == ["a", "bad", "c", "d"]
    rig.tag(1, "e")
    await process.until(lambda: rig.seen(view) == 8, "the aggregate goes on")
    assert [row[2] for row in rig.rows(view) if row[0] == lead(1)][-1] == "e"
    assert sum(s.applied for s in rig.states(view).values()) == 8


async def test_retry_without_a_fix_counts_the_attempt(rig: Rig) -> None:
    await _parked(rig)
    first = rig.parked()[0]
    done = rig.resolver(TagsView(poisonous=["bad"])).retry(first.id, by="operator")
    assert (done.applied, done.parked) == (0, 3)
    assert "cannot take" in (done.reason or "")
    assert rig.parked()[0].attempts == first.attempts + 1


async def test_skip_leaves_one_event_out_for_a_reason(rig: Rig) -> None:
    process = await _parked(rig)
    resolver = rig.resolver(TagsView(poisonous=["bad"]))
    done = resolver.skip(rig.parked()[0].id, "entered by mistake", by="operator")
    assert (done.skipped, done.applied, done.parked) == (1, 2, 0)
    tags = [row[2] for row in rig.rows(process.views[0]) if row[0] == lead(1)]
    assert tags == ["a", "c", "d"]


async def test_skipping_what_waits_behind_is_refused(rig: Rig) -> None:
    await _parked(rig)
    first, second, _ = rig.parked()
    with pytest.raises(WaitsBehind, match=f"behind {first.id}"):
        rig.resolver(TagsView()).skip(second.id, "why not", by="operator")
    assert len(rig.parked()) == 3


async def test_a_decision_is_made_once(rig: Rig) -> None:
    await _parked(rig)
    resolver, first = rig.resolver(TagsView()), rig.parked()[0]
    resolver.retry(first.id, by="operator")
    with pytest.raises(LetterSettled, match="applied by operator"):
        resolver.skip(first.id, "too late", by="somebody")
    with pytest.raises(NoSuchLetter):
        resolver.retry(first.id + 1_000, by="operator")


async def test_bytes_that_cannot_be_read_park_too(rig: Rig) -> None:
    rig.tag(1, "a")
    rig.log.append_raw(lead(1), LeadTagged.TYPE, b'{"tag": 7')
    rig.tag(1, "b")
    process = await rig.start()
    await process.until(lambda: rig.seen(process.views[0]) == 3, "everything is accounted for")
    assert [p.kind for p in rig.parked()] == ["failed", "behind"]
    assert rig.parked()[0].data == b'{"tag": 7'


async def test_a_reason_holds_no_personal_value(rig: Rig) -> None:
    rig.log.append(
        lead(1), LeadCaptured(person_id=lead(9), name="Ada Lovelace", source="web", tags=())
    )
    process = await rig.start(_TellingView())
    await process.until(lambda: len(rig.parked()) == 1, "the event is parked")
    assert "Lovelace" not in rig.parked()[0].reason
    assert b"Lovelace" not in (rig.parked()[0].data or b"")


async def test_an_unreadable_record_parks_with_its_bytes(light_rig: Rig) -> None:
    rig = light_rig
    rig.offsets = True
    lane = Lane("contacts", 0)
    rig.log.append(lead_in(lane), LeadTagged(tag="a"))
    process = await rig.start()
    noise = Unreadable(lane, 0, b"k", [("x", b"\xff")], b"\x00junk", "KeyError: 'id'")
    fine = process.feed.batch(lane, 0)
    mixed = LaneBatch(lane, fine.envelopes, 2, fine.complete_to, [noise], [1])
    process.feed.deliveries.extend([mixed, mixed])
    await process.turn(2)
    assert [(p.kind, p.data) for p in rig.parked()] == [("unreadable", b"\x00junk")]
    assert [row[2] for row in rig.rows(process.views[0])] == ["a"]


async def test_a_damaged_record_of_ours_parks_its_aggregate(light_rig: Rig) -> None:
    rig = light_rig
    rig.offsets = True
    rig.tag(1, "a", "b", "c")
    lane = next(lane for lane, events in rig.log.lanes.items() if events)
    one, two, three = rig.log.lanes[lane]
    headers = [
        ("ce_sequence", b"2"),
        ("ce_prevsequence", b"1"),
        ("ce_id", str(two.id).encode()),
        ("ce_subject", str(two.aggregate_id).encode()),
        ("ce_type", two.type.encode()),
    ]
    damaged = Unreadable(lane, 1, None, headers, two.data, "KeyError: 'time'")
    process = await rig.start()
    process.feed.deliveries.append(LaneBatch(lane, [one, three], 3, 3, [damaged], [0, 2]))
    await process.turn()
    assert [p.kind for p in rig.parked()] == ["unreadable", "behind"]
    assert [row[2] for row in rig.rows(process.views[0])] == ["a"]


async def test_many_failures_stop_the_view_before_them(light_rig: Rig) -> None:
    rig = light_rig
    for number in range(MOST_FAILURES + 1):
        rig.tag(number, "bad")
    process = await rig.start(TagsView(poisonous=["bad"]))
    await process.until(lambda: process.projection().stopped is not None, "the view stops")
    assert "Mend the cause" in (process.projection().stopped or "")
    assert not rig.parked()
    mended = await rig.start()
    await mended.until(lambda: rig.seen(mended.views[0]) == MOST_FAILURES + 1, "goes on")


async def test_failures_up_to_the_limit_are_parked(light_rig: Rig) -> None:
    rig = light_rig
    for number in range(MOST_FAILURES):
        rig.tag(number, "bad")
    process = await rig.start(TagsView(poisonous=["bad"]))
    await process.until(lambda: len(rig.parked()) == MOST_FAILURES, "all are parked")
    assert process.projection().stopped is None


class _TellingView(TagsView):
    """A view whose error quotes what it was given."""

    def apply(self, *given: Any) -> None:
        raise ValueError(f"cannot take {given[-1][0].event!r}")
