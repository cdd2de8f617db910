"""What is written, in which order, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from crm_events.clock import utc_now
from crm_events.ids import new_id
from crm_events.store.port import (
    Beside,
    CommandRepeated,
    DirectoryEntry,
    EventRecorder,
    VersionConflict,
)
from eventsourcing.persistence import StoredEvent

from tests.events.store.building import (
    DEAL,
    NOON,
    append,
    at_once,
    command,
    event,
    stream,
    whole_log,
)
from tests.events.store.conftest import Opener


def test_positions_count_up_in_order_of_the_save(recorder: EventRecorder) -> None:
    first, second = new_id(), new_id()
    positions = append(recorder, [event(first, 1), event(second, 1), event(first, 2)])
    assert positions == [1, 2, 3]
    assert append(recorder, [event(second, 2)]) == [4]
    assert [(e.aggregate_id, e.aggregate_version) for e in whole_log(recorder)] == [
        (first, 1),
        (second, 1),
        (first, 2),
        (second, 2),
    ]


def test_envelope_comes_back_as_it_was_written(recorder: EventRecorder) -> None:
    lead = new_id()
    before = utc_now()
    written = replace(event(lead, 2, supersedes=new_id()), origin="import")
    append(recorder, [event(lead, 1), written])
    read = whole_log(recorder)[1]
    assert (read.id, read.type, read.data) == (written.event_id, written.topic, written.state)
    assert (read.correlation_id, read.causation_id) == (
        written.correlation_id,
        written.causation_id,
    )
    assert (read.command_id, read.supersedes) == (written.command_id, written.supersedes)
    assert (read.actor, read.origin, read.traceparent) == ("staff:7", "import", "00-aa-bb-01")
    assert (read.occurred_at, read.partition) == (NOON, written.partition)
    assert abs(read.recorded_at - before) < timedelta(seconds=60)


def test_event_without_effective_time_takes_recorded_time(recorder: EventRecorder) -> None:
    append(recorder, [event(new_id(), 1, occurred_at=None)])
    read = whole_log(recorder)[0]
    assert read.occurred_at == read.recorded_at


def test_streams_are_read_alone_and_together(recorder: EventRecorder) -> None:
    lead, deal = new_id(), new_id()
    written = stream(lead, 5)
    append(recorder, [*written, event(deal, 1, type=DEAL)])
    assert [e.state for e in recorder.select_events(lead)] == [e.state for e in written]
    assert _versions(recorder.select_events(lead, gt=1, lte=4, desc=True, limit=2)) == [4, 3]
    streams = recorder.select_streams([lead, deal, new_id()])
    assert {id_: _versions(events) for id_, events in streams.items()} == {
        lead: [1, 2, 3, 4, 5],
        deal: [1],
    }


def _versions(events: object) -> list[int]:
    assert isinstance(events, list)
    return [e.originator_version for e in events if isinstance(e, StoredEvent)]


def test_taken_version_is_refused_with_the_current_one(recorder: EventRecorder) -> None:
    lead, other = new_id(), new_id()
    append(recorder, stream(lead, 3))
    with pytest.raises(VersionConflict) as refused:
        append(recorder, [event(other, 1), event(lead, 2)])
    assert (refused.value.aggregate_id, refused.value.current) == (lead, 3)
    assert recorder.select_events(other) == []


def test_repeated_command_is_answered_with_the_first_entry(recorder: EventRecorder) -> None:
    lead, beside = new_id(), command(new_id())
    positions = append(recorder, stream(lead, 2), beside)
    with pytest.raises(CommandRepeated) as refused:
        append(recorder, [event(new_id(), 1)], beside)
    assert beside.command is not None
    assert refused.value.entry == replace(beside.command, sequence=positions[-1])
    assert recorder.find_command(beside.command.command_id) == refused.value.entry
    assert recorder.find_command(new_id()) is None
    assert len(whole_log(recorder)) == 2


def test_command_without_events_is_remembered(recorder: EventRecorder) -> None:
    beside = command(new_id())
    assert append(recorder, [], beside) == []
    assert beside.command is not None
    assert recorder.find_command(beside.command.command_id) == beside.command


def test_one_of_two_simultaneous_commands_wins(opened: Opener) -> None:
    here, there = opened(), opened()
    for _ in range(20):
        lead, beside = new_id(), command(new_id())
        outcomes = at_once(
            *[partial(append, each, [event(lead, 1)], beside) for each in (here, there)]
        )
        refusals = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        assert [type(refusal) for refusal in refusals] == [CommandRepeated]


def test_one_of_many_simultaneous_versions_wins(recorder: EventRecorder) -> None:
    lead = new_id()
    for version in range(1, 11):
        outcomes = at_once(*[partial(append, recorder, [event(lead, version)]) for _ in range(8)])
        refusals = [outcome for outcome in outcomes if isinstance(outcome, VersionConflict)]
        assert len(refusals) == 7
        assert {refusal.current for refusal in refusals} == {version}
    assert _versions(recorder.select_events(lead)) == list(range(1, 11))


def test_refused_save_leaves_nothing_beside(recorder: EventRecorder) -> None:
    lead = new_id()
    append(recorder, stream(lead, 1))
    beside = replace(
        command(lead), directory=(DirectoryEntry("staff", lead, b"k" * 16, {"team": "A"}),)
    )
    with pytest.raises(VersionConflict):
        append(recorder, [event(lead, 1)], beside)
    assert beside.command is not None
    assert recorder.find_command(beside.command.command_id) is None
    assert recorder.directory("staff", [lead]) == {}


def test_big_save_is_written_whole(recorder: EventRecorder) -> None:
    data = b'{"text":"' + b"x" * 2_400 + b'"}'
    events = [event(new_id(), 1, data) for _ in range(5_000)]
    positions = append(recorder, events)
    assert positions == list(range(1, 5_001))
    assert sum(len(e.data) for e in whole_log(recorder)) > 10_000_000


def test_big_save_is_refused_whole(recorder: EventRecorder) -> None:
    taken = new_id()
    append(recorder, [event(taken, 1)])
    with pytest.raises(VersionConflict):
        append(recorder, [*[event(new_id(), 1) for _ in range(999)], event(taken, 1)])
    assert [e.aggregate_id for e in whole_log(recorder)] == [taken]


def test_nothing_to_write_is_written(recorder: EventRecorder) -> None:
    assert append(recorder, [], Beside()) == []
    assert whole_log(recorder) == []


def test_data_may_hold_any_bytes(recorder: EventRecorder) -> None:
    data = bytes(range(256))
    append(recorder, [event(new_id(), 1, data), event(new_id(), 1, b"")])
    assert [e.data for e in whole_log(recorder)] == [data, b""]


def test_schema_fits_and_store_answers(recorder: EventRecorder) -> None:
    recorder.ping()
    assert recorder.schema_current()
