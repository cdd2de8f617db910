"""Old versions read as the newest, with the personal values they were stored with."""

from __future__ import annotations

from typing import Final

import orjson
import pytest
from crm_events.catalogue import UnknownEventType
from crm_events.codec import Codec, Slot, UndecodableEvent
from crm_events.event import Event
from crm_events.upcasting import Lift

from tests.events.codec.building import AGGREGATE, PERSON, fields_of, slot_of
from tests.events.codec.versions import (
    CATALOGUE,
    LIFT_1,
    UPCASTS,
    V1,
    V2,
    V3,
    NoteTaken,
    NoteTakenV2,
    NoteTakenV3,
)
from tests.support.keys import KeysInMemory

FIRST: Final = NoteTaken(customer_id=PERSON, note="打印机\n又坏了", mood="angry", author="Mei")
SECOND: Final = NoteTakenV2(customer_id=PERSON, text="打印机\n又坏了", score=1, author="Mei")
THIRD: Final = NoteTakenV3(
    customer_id=PERSON, subject="打印机", body="又坏了", score=1, author="Mei"
)


def stored(keys: KeysInMemory, event: Event) -> tuple[bytes, Slot]:
    """What the program of that version put into the store."""
    program = Codec(keys, {event.TYPE: type(event)}, {})
    return program.encode(event, slot_of(event)), slot_of(event)


@pytest.fixture
def newest(keys: KeysInMemory) -> Codec:
    """The program of version 3."""
    return Codec(keys, CATALOGUE, UPCASTS)


def test_versions_have_permanent_names() -> None:
    assert [NoteTaken.TYPE, NoteTakenV2.TYPE, NoteTakenV3.TYPE] == [V1, V2, V3]


@pytest.mark.parametrize("event", [FIRST, SECOND, THIRD], ids=["v1", "v2", "v3"])
def test_every_version_reads_as_the_newest(newest: Codec, keys: KeysInMemory, event: Event) -> None:
    assert newest.decode(*stored(keys, event)) == THIRD


def test_old_personal_value_was_sealed_under_its_old_name(keys: KeysInMemory) -> None:
    data, _ = stored(keys, FIRST)
    assert fields_of(data)["note"].startswith(f"~1.{PERSON.hex}.")
    assert fields_of(data)["author"] == "Mei"


@pytest.mark.parametrize("event", [FIRST, SECOND], ids=["v1", "v2"])
def test_old_version_of_an_erased_subject_is_blank(
    newest: Codec, keys: KeysInMemory, event: Event
) -> None:
    data, slot = stored(keys, event)
    keys.erase(PERSON)
    blank = NoteTakenV3(customer_id=PERSON, subject=None, score=1, author="Mei")
    assert newest.decode(data, slot) == blank


def test_absent_old_value_reaches_the_upcast_as_none(newest: Codec, keys: KeysInMemory) -> None:
    event = NoteTaken(customer_id=PERSON)
    read = NoteTakenV3(customer_id=PERSON, subject=None, score=3)
    assert newest.decode(*stored(keys, event)) == read


def test_old_seal_does_not_move_either(newest: Codec, keys: KeysInMemory) -> None:
    data, slot = stored(keys, FIRST)
    with pytest.raises(UndecodableEvent, match="'note': fails its seal"):
        newest.decode(data, slot._replace(version=2))


@pytest.mark.parametrize("mood", ["a secret mood", None, ["x"]])
def test_data_the_upcast_cannot_lift_is_undecodable(
    newest: Codec, keys: KeysInMemory, mood: object
) -> None:
    data, slot = stored(keys, FIRST)
    broken = orjson.dumps(fields_of(data) | {"mood": mood})
    with pytest.raises(UndecodableEvent, match=f"lifting to {V2}: ") as refused:
        newest.decode(broken, slot)
    assert "secret" not in str(refused.value)


def test_version_of_a_newer_program_is_unknown(newest: Codec) -> None:
    with pytest.raises(UnknownEventType):
        newest.decode(b"{}", Slot("crm.ticketing.NoteTaken.v4", AGGREGATE, 1))


def test_old_program_stops_at_the_new_version(keys: KeysInMemory) -> None:
    data, slot = stored(keys, THIRD)
    with pytest.raises(UnknownEventType):
        Codec(keys, {V1: NoteTaken}, {}).decode(data, slot)


def test_upcasts_in_a_circle_are_refused(keys: KeysInMemory) -> None:
    with pytest.raises(ValueError, match="in a circle"):
        Codec(keys, CATALOGUE, {V1: LIFT_1, V2: Lift(V1, dict)})


def test_upcasts_that_lead_nowhere_are_refused(keys: KeysInMemory) -> None:
    with pytest.raises(ValueError, match=f"end in {V2}, which has no class"):
        Codec(keys, CATALOGUE, {V1: LIFT_1})


def test_class_beside_its_own_upcast_is_refused(keys: KeysInMemory) -> None:
    with pytest.raises(ValueError, match="a class is for the newest only"):
        Codec(keys, {**CATALOGUE, V1: NoteTaken}, UPCASTS)
