"""Events found by their own id, and by the correlation they belong to."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

from crm_events.ids import new_id
from crm_events.store.port import Beside, DirectoryEntry, EventRecorder, NewEvent
from crm_events.store.threads import Correlated

from tests.events.store.building import append, event, stream


def caused(correlation: UUID, cause: UUID | None = None) -> NewEvent:
    return replace(event(new_id(), 1), correlation_id=correlation, causation_id=cause)


def found(recorder: EventRecorder, wanted: Correlated, after: int = 0, limit: int = 9) -> list[int]:
    return [each.sequence for each in recorder.read_correlation(wanted, after, limit)]


def test_an_event_is_found_by_its_id(recorder: EventRecorder) -> None:
    told = event(new_id(), 1)
    append(recorder, [event(new_id(), 1), told])
    envelope = recorder.find_event(told.event_id)
    assert envelope is not None
    assert (envelope.id, envelope.sequence) == (told.event_id, 2)
    assert recorder.find_event(new_id()) is None


def test_a_correlation_is_read_in_order_and_in_pages(recorder: EventRecorder) -> None:
    correlation, other = new_id(), new_id()
    append(recorder, [caused(each) for each in (correlation, other, correlation, correlation)])
    wanted = Correlated(correlation)
    assert found(recorder, wanted) == [1, 3, 4]
    assert found(recorder, wanted, limit=2) == [1, 3]
    assert found(recorder, wanted, after=3) == [4]
    assert found(recorder, Correlated(new_id())) == []


def test_of_a_correlation_only_what_was_caused_is_read(recorder: EventRecorder) -> None:
    correlation = new_id()
    first, second = caused(correlation), caused(correlation)
    led_to = [caused(correlation, each.event_id) for each in (first, second, first)]
    append(recorder, [first, second, *led_to])
    assert found(recorder, Correlated(correlation, (first.event_id,))) == [3, 5]
    assert found(recorder, Correlated(correlation, (second.event_id, first.event_id))) == [3, 4, 5]
    assert found(recorder, Correlated(new_id(), (first.event_id,))) == []


def test_of_a_correlation_only_one_command_is_read(recorder: EventRecorder) -> None:
    correlation, command = new_id(), new_id()
    of_command = replace(caused(correlation), command_id=command)
    append(recorder, [caused(correlation), of_command])
    assert found(recorder, Correlated(correlation, command_id=command)) == [2]


def test_a_correlation_is_read_back_from_its_end(recorder: EventRecorder) -> None:
    correlation, other = new_id(), new_id()
    append(recorder, [caused(each) for each in (correlation, other, correlation, correlation)])

    def back(before: int | None, limit: int) -> list[int]:
        read = recorder.read_correlation_back(correlation, before, limit)
        return [each.sequence for each in read]

    assert back(None, 9) == [4, 3, 1]
    assert (back(None, 2), back(3, 2)) == ([4, 3], [1])


def test_many_streams_are_read_at_once(recorder: EventRecorder) -> None:
    lead, deal = new_id(), new_id()
    append(recorder, [*stream(lead, 2), *stream(deal, 3)])
    found = recorder.read_streams([lead, deal, new_id()])
    versions = {id_: [each.aggregate_version for each in read] for id_, read in found.items()}
    assert versions == {lead: [1, 2], deal: [1, 2, 3]}


def test_entries_are_found_by_what_they_say(recorder: EventRecorder) -> None:
    row, other, thing = new_id(), new_id(), {"id": str(new_id())}
    entries = (
        DirectoryEntry("alias", row, None, thing),
        DirectoryEntry("alias", other, None, {"id": str(new_id())}),
        DirectoryEntry("other", other, None, thing),
    )
    append(recorder, [event(new_id(), 1)], Beside(directory=entries))
    assert list(recorder.directory_saying("alias", [thing])) == [entries[0]]
    assert list(recorder.directory_saying("alias", [])) == []
