"""Reading the log in order, with what relay and marks keep about it."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from crm_events.ids import new_id
from crm_events.partitions import partition_of
from crm_events.store.port import EventRecorder, Mark, RelayState, VersionConflict

from tests.events.store.building import DEAL, LEAD, append, event, stream, whole_log
from tests.events.store.conftest import Opener


def test_pages_end_where_they_are_full(recorder: EventRecorder) -> None:
    append(recorder, stream(new_id(), 5))
    first, second = recorder.read_log(0, 3), recorder.read_log(3, 3)
    assert ([e.sequence for e in first.envelopes], first.safe_to) == ([1, 2, 3], 3)
    assert ([e.sequence for e in second.envelopes], second.safe_to) == ([4, 5], 5)
    assert recorder.read_log(5, 3) == replace(second, envelopes=[])


def test_empty_log_is_complete_to_nought(recorder: EventRecorder) -> None:
    page = recorder.read_log(0, 10)
    assert (list(page.envelopes), page.safe_to, recorder.safe_position()) == ([], 0, 0)
    assert recorder.max_notification_id() is None
    assert recorder.last_in_partitions(9) == {}


def test_reader_ahead_of_a_restored_log_sees_it(recorder: EventRecorder) -> None:
    append(recorder, stream(new_id(), 2))
    assert recorder.read_log(50, 10).safe_to == 2


def test_log_is_safe_beyond_a_lost_race(recorder: EventRecorder) -> None:
    lead = new_id()
    append(recorder, [event(lead, 1)])
    for _ in range(3):
        with pytest.raises(VersionConflict):
            append(recorder, [event(lead, 1)])
    (position,) = append(recorder, [event(lead, 2)])
    page = recorder.read_log(0, 10)
    assert [e.aggregate_version for e in page.envelopes] == [1, 2]
    assert page.safe_to == recorder.safe_position() == position


def test_last_sequence_of_each_partition(recorder: EventRecorder) -> None:
    ids = [new_id() for _ in range(40)]
    positions = append(recorder, [event(id_, 1) for id_ in ids])
    for upto in (0, 17, 40):
        expected = {
            partition_of(id_): position
            for id_, position in zip(ids, positions, strict=True)
            if position <= upto
        }
        assert recorder.last_in_partitions(upto) == expected


def test_notifications_are_chosen_by_type_and_range(recorder: EventRecorder) -> None:
    lead, deal = new_id(), new_id()
    append(recorder, [e for n in (1, 2, 3) for e in (event(lead, n), event(deal, n, type=DEAL))])
    assert [n.id for n in recorder.select_notifications(2, 3)] == [2, 3, 4]
    assert [n.id for n in recorder.select_notifications(2, 3, inclusive_of_start=False)] == [
        3,
        4,
        5,
    ]
    assert [n.id for n in recorder.select_notifications(None, 9, stop=4, topics=[DEAL])] == [2, 4]
    both = recorder.select_notifications(1, 5, topics=[DEAL, LEAD])
    assert Counter(n.topic for n in both) == {LEAD: 3, DEAL: 2}
    assert recorder.max_notification_id() == 6


def test_another_process_reads_what_is_written(opened: Opener) -> None:
    writer, reader = opened(), opened()
    for written in range(1, 6):
        append(writer, [event(new_id(), 1)])
        assert len(whole_log(reader)) == written


def test_marks_rise_with_the_log_and_the_clock(recorder: EventRecorder) -> None:
    first = _marked(recorder)
    append(recorder, stream(new_id(), 3))
    second = _marked(recorder)
    assert (first.safe_to, second.safe_to) == (0, 3)
    assert first.at < second.at
    assert list(recorder.marks(None, 10)) == [first, second]
    assert list(recorder.marks(first.at, 10)) == [second]
    assert list(recorder.marks(None, 1)) == [first]


def test_mark_is_not_before_an_event_it_covers(recorder: EventRecorder) -> None:
    append(recorder, stream(new_id(), 3))
    mark = _marked(recorder)
    assert all(e.recorded_at <= mark.at for e in whole_log(recorder))


def test_marks_of_a_resting_log_take_two_rows(recorder: EventRecorder) -> None:
    append(recorder, [event(new_id(), 1)])
    marks = [_marked(recorder) for _ in range(5)]
    assert list(recorder.marks(None, 10)) == [marks[0], marks[-1]]
    assert list(recorder.marks(marks[2].at, 10)) == [marks[-1]]


def _marked(recorder: EventRecorder) -> Mark:
    mark = recorder.write_mark()
    assert mark is not None
    return mark


def test_one_relay_leads_at_a_time(opened: Opener) -> None:
    here, there = opened(), opened()
    first = here.lead()
    assert first == RelayState(0, 1, {})
    assert there.lead() is None
    here.resign()
    assert there.lead() == RelayState(0, 2, {})
    assert here.lead() is None


def test_relay_moves_by_compare_and_set(recorder: EventRecorder) -> None:
    state = recorder.lead()
    assert state is not None
    moved = RelayState(40, state.epoch, {0: 39, 11: 40})
    assert recorder.advance_relay(state, moved)
    assert not recorder.advance_relay(state, moved)
    assert recorder.relay_state() == moved


def test_former_leader_cannot_move_the_relay(opened: Opener) -> None:
    here, there = opened(), opened()
    old = here.lead()
    assert old is not None
    here.resign()
    new = there.lead()
    assert new is not None
    assert not here.advance_relay(old, replace(old, position=9))
    assert not there.advance_relay(old, replace(old, position=9))
    assert there.advance_relay(new, replace(new, position=9))


def test_leader_that_closes_makes_room(opened: Opener) -> None:
    here, there = opened(), opened()
    assert here.lead() is not None
    here.close()
    assert there.lead() is not None


def test_stream_of_one_thing_with_its_envelopes(recorder: EventRecorder) -> None:
    lead, other = new_id(), new_id()
    append(recorder, [event(lead, 1), event(other, 1), event(lead, 2), event(lead, 3)])
    whole = [e for e in whole_log(recorder) if e.aggregate_id == lead]
    assert recorder.read_stream(lead, 0, 10) == whole
    assert recorder.read_stream(lead, 1, 1) == whole[1:2]
    assert recorder.read_stream(new_id(), 0, 10) == []
