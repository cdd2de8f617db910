"""What commits with the events: tracking, timers, directory entries and imported rows."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from crm_events.ids import new_id
from crm_events.store.port import (
    AlreadyTracked,
    Beside,
    DirectoryEntry,
    EventRecorder,
    ImportedRow,
    Timer,
    VersionConflict,
)
from eventsourcing.persistence import Tracking

from tests.events.store.building import NOON, append, at_once, event, whole_log
from tests.events.store.conftest import Opener

LATER = NOON + timedelta(hours=1)


def test_tracked_position_only_rises(recorder: EventRecorder) -> None:
    append(recorder, [event(new_id(), 1)], Beside(tracking=(Tracking("r:contacts-3", 7),)))
    for redelivered in (7, 6):
        with pytest.raises(AlreadyTracked):
            append(
                recorder,
                [event(new_id(), 1)],
                Beside(
                    tracking=(Tracking("r:contacts-4", 1), Tracking("r:contacts-3", redelivered))
                ),
            )
    assert recorder.max_tracking_id("r:contacts-3") == 7
    assert recorder.max_tracking_id("r:contacts-4") is None
    assert len(whole_log(recorder)) == 1


def test_tracking_of_the_library_is_kept_too(recorder: EventRecorder) -> None:
    recorder.insert_events([event(new_id(), 1)], tracking=Tracking("upstream", 3))
    recorder.insert_tracking(Tracking("upstream", 5))
    assert recorder.max_tracking_id("upstream") == 5
    assert recorder.has_tracking_id("upstream", 4)
    with pytest.raises(AlreadyTracked):
        recorder.insert_tracking(Tracking("upstream", 5))


def test_position_nought_can_be_tracked(recorder: EventRecorder) -> None:
    recorder.insert_tracking(Tracking("offset", 0))
    assert recorder.max_tracking_id("offset") == 0


def test_one_of_two_zombies_moves_the_position(opened: Opener) -> None:
    here, there = opened(), opened()
    for position in range(1, 11):
        beside = Beside(tracking=(Tracking("lane", position),))
        outcomes = at_once(
            *[partial(append, each, [event(new_id(), 1)], beside) for each in (here, there)]
        )
        assert [type(o) for o in outcomes if isinstance(o, Exception)] == [AlreadyTracked]
    assert len(whole_log(here)) == 10


def test_timers_are_due_in_order_until_done(recorder: EventRecorder) -> None:
    late = Timer(new_id(), "sla", new_id(), LATER)
    soon = Timer(new_id(), "survey", new_id(), NOON)
    append(recorder, [], Beside(timers=(late, soon)))
    assert recorder.next_due() == NOON
    assert list(recorder.due_timers(NOON, 10)) == [soon]
    assert list(recorder.due_timers(LATER, 10)) == [soon, late]
    assert list(recorder.due_timers(LATER, 1)) == [soon]
    append(recorder, [event(soon.aggregate_id, 1)], Beside(timers_done=(soon.id, new_id())))
    assert list(recorder.due_timers(LATER, 10)) == [late]
    append(recorder, [], Beside(timers_done=(late.id,)))
    assert recorder.next_due() is None


def test_timer_set_again_moves(recorder: EventRecorder) -> None:
    timer = Timer(new_id(), "sla", new_id(), NOON)
    moved = Timer(timer.id, "sla", timer.aggregate_id, LATER)
    append(recorder, [], Beside(timers=(timer,)))
    append(recorder, [], Beside(timers_done=(timer.id,), timers=(moved,)))
    assert list(recorder.due_timers(LATER, 10)) == [moved]


def test_directory_entry_is_replaced_whole(recorder: EventRecorder) -> None:
    staff = new_id()
    append(recorder, [], Beside(directory=(DirectoryEntry("staff", staff, b"a" * 16, {"n": 1}),)))
    latest = DirectoryEntry("staff", staff, b"b" * 16, {"team": "Süd", "of": [1, None]})
    between = DirectoryEntry("staff", staff, None, {})
    append(recorder, [], Beside(directory=(between, latest)))
    assert recorder.directory("staff", [staff, new_id()]) == {staff: latest}
    assert recorder.directory("product", [staff]) == {}
    assert recorder.directory_by_name("staff", [b"a" * 16, b"b" * 16]) == {b"b" * 16: staff}


def test_shared_name_always_finds_the_same(recorder: EventRecorder) -> None:
    first, second = sorted([new_id(), new_id()])
    key = b"n" * 16
    entries = [DirectoryEntry("staff", id_, key, {}) for id_ in (second, first)]
    append(recorder, [], Beside(directory=tuple(entries)))
    assert recorder.directory_by_name("staff", [key]) == {key: first}


def test_imported_hash_is_the_last_one(recorder: EventRecorder) -> None:
    rows = [ImportedRow(new_id(), bytes([n]) * 8) for n in range(3)]
    append(recorder, [], Beside(imported=(*rows, ImportedRow(rows[0].id, b"newer"))))
    hashes = recorder.imported([row.id for row in rows] + [new_id()])
    assert hashes == {rows[0].id: b"newer", rows[1].id: rows[1].row_hash, rows[2].id: b"\x02" * 8}


def test_many_ids_are_asked_at_once(recorder: EventRecorder) -> None:
    rows = tuple(ImportedRow(new_id(), n.to_bytes(2)) for n in range(2_500))
    entries = tuple(DirectoryEntry("order", row.id, row.row_hash, {}) for row in rows)
    append(recorder, [], Beside(imported=rows, directory=entries))
    ids = [row.id for row in rows]
    assert len(recorder.imported(ids)) == len(recorder.directory("order", ids)) == 2_500
    assert len(recorder.directory_by_name("order", [row.row_hash for row in rows])) == 2_500
    assert recorder.imported([]) == {}
    assert recorder.directory("order", []) == {}


def test_all_beside_falls_with_a_refused_save(recorder: EventRecorder) -> None:
    taken = new_id()
    append(recorder, [event(taken, 1)])
    beside = Beside(
        tracking=(Tracking("lane", 1),),
        timers=(Timer(new_id(), "sla", taken, NOON),),
        imported=(ImportedRow(taken, b"hash"),),
    )
    with pytest.raises(VersionConflict):
        append(recorder, [event(taken, 1)], beside)
    assert recorder.max_tracking_id("lane") is None
    assert recorder.next_due() is None
    assert recorder.imported([taken]) == {}
