"""A save that rests on the last event of a thing is refused once there is a later one."""

from __future__ import annotations

from contextlib import closing
from functools import partial

import pytest
from crm_events.ids import new_id
from crm_events.store.granted import LastEvent, Overtaken
from crm_events.store.port import Beside, EventRecorder, NewEvent
from crm_events.store.postgres import PostgresRecorder

from tests.events.store.building import append, at_once, command, event, whole_log
from tests.events.store.cable import Cable


def resting_on(*events: NewEvent) -> Beside:
    return Beside(rests_on=tuple(LastEvent(e.originator_id, e.event_id) for e in events))  # type: ignore[arg-type]


def test_save_goes_in_while_what_it_rests_on_is_the_last(recorder: EventRecorder) -> None:
    pipeline, deal = event(new_id(), 1), event(new_id(), 1)
    append(recorder, [pipeline, deal])
    later = event(deal.originator_id, 2)  # type: ignore[arg-type]
    assert append(recorder, [later], resting_on(pipeline, deal)) == [3]
    assert append(recorder, [event(new_id(), 1)], resting_on(later)) == [4]


def test_nothing_is_written_once_it_went_on(recorder: EventRecorder) -> None:
    thing = new_id()
    first, second = event(thing, 1), event(thing, 2)
    append(recorder, [first, second])
    beside = command(new_id())
    for taken in (first, event(thing, 2), event(new_id(), 1)):
        with pytest.raises(Overtaken):
            append(
                recorder,
                [event(new_id(), 1)],
                Beside(command=beside.command, rests_on=resting_on(taken).rests_on),
            )
    assert len(whole_log(recorder)) == 2
    assert beside.command is not None
    assert recorder.find_command(beside.command.command_id) is None


def test_decision_without_events_rests_on_something_too(recorder: EventRecorder) -> None:
    first, second = event(new_id(), 1), event(new_id(), 1)
    append(recorder, [first])
    assert append(recorder, [], resting_on(first)) == []
    with pytest.raises(Overtaken):
        append(recorder, [], resting_on(first, second))


def test_overtaken_save_harms_none_of_its_group(recorder: EventRecorder) -> None:
    known = event(new_id(), 1)
    append(recorder, [known])
    unknown = event(new_id(), 1)
    saves = [partial(append, recorder, [event(new_id(), 1)], resting_on(known)) for _ in range(20)]
    saves.insert(7, partial(append, recorder, [event(new_id(), 1)], resting_on(known, unknown)))
    outcomes = at_once(*saves)
    assert [type(each).__name__ for each in outcomes].count("Overtaken") == 1
    assert len(whole_log(recorder)) == 21


def test_lost_answer_is_no_overtaking(postgres_dsn: str, schema: str) -> None:
    """The save was stored and is itself what came after the thing it rests on."""
    thing = new_id()
    first = event(thing, 1)
    with (
        Cable(postgres_dsn) as cable,
        closing(PostgresRecorder(cable.dsn, schema)) as recorder,
    ):
        append(recorder, [first])
        cable.cut_next_answer()
        assert append(recorder, [event(thing, 2)], resting_on(first)) == [2]
        assert cable.cuts == 1
