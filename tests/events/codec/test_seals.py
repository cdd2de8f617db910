"""Personal values: unreadable in stored bytes, immovable, and gone with their subject's key."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any
from uuid import UUID

import orjson
import pytest
from crm_events.catalogue import CATALOGUE
from crm_events.codec import Codec, Slot, UndecodableEvent
from crm_events.contracts.contacts import LeadCaptured, PersonRegistered
from crm_events.contracts.ticketing import TicketOpened
from crm_events.event import Event, personal_fields
from crm_events.keys.port import KeysUnavailable, SubjectErased
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.events.codec.building import (
    AGGREGATE,
    CAPTURED,
    OPENED,
    OTHER,
    PERSON,
    REGISTERED,
    RESPONSE,
    fields_of,
    slot_of,
)
from tests.support.any_event import events_of
from tests.support.keys import KeysInMemory

_PERSONAL = sorted(name for name, kind in CATALOGUE.items() if personal_fields(kind))
CANARY = "canary-7f3a·王小明"


def moved(codec: Codec, event: Event, slot: Slot, to: Slot, **fields: Any) -> bytes:
    """The bytes of an event at one place, put at another, with fields changed as told."""
    stored = fields_of(codec.encode(event, slot))
    data = orjson.dumps(stored | {name: stored[other] for name, other in fields.items()})
    assert codec.decode(orjson.dumps(stored), slot) == event
    assert to != slot or fields
    return data


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_personal_value_appears_in_stored_bytes(data: st.DataObject) -> None:
    kind = CATALOGUE[data.draw(st.sampled_from(_PERSONAL))]
    planted = dict.fromkeys((field.name for field in personal_fields(kind)), CANARY)
    event = data.draw(events_of(kind)).model_copy(update=planted)
    stored = Codec(KeysInMemory()).encode(event, slot_of(event))
    for part in (CANARY, "canary-7f3a", "王小明", orjson.dumps("王小明").decode().strip('"')):
        assert part.encode() not in stored
    assert rb"\u738b" not in stored.lower()
    assert stored.count(b"~1.") >= len(planted)


def test_equal_values_have_different_seals(codec: Codec) -> None:
    slot = slot_of(REGISTERED)
    first, second = (fields_of(codec.encode(REGISTERED, slot)) for _ in range(2))
    assert first["name"] != second["name"]
    assert first["region"] == second["region"] == "华东"


def test_seal_names_its_subject(codec: Codec) -> None:
    for event, subject in ((CAPTURED, PERSON), (REGISTERED, AGGREGATE), (OPENED, AGGREGATE)):
        stored = fields_of(codec.encode(event, slot_of(event)))
        tokens = [stored[f.name] for f in personal_fields(type(event)) if f.name in stored]
        assert tokens
        assert {token.split(".")[1] for token in tokens} == {subject.hex}


@pytest.mark.parametrize(
    "to",
    [
        slot_of(REGISTERED, OTHER),
        slot_of(REGISTERED, version=2),
        Slot("crm.ticketing.PersonRegistered.v1", AGGREGATE, 1),
    ],
    ids=["aggregate", "version", "context"],
)
def test_value_moved_to_another_place_fails(codec: Codec, keys: KeysInMemory, to: Slot) -> None:
    data = moved(codec, REGISTERED, slot_of(REGISTERED), to)
    reader = Codec(keys, {**CATALOGUE, to.type: PersonRegistered}, {})
    with pytest.raises(UndecodableEvent, match="'name': fails its seal"):
        reader.decode(data, to)


def test_value_moved_to_another_field_fails(codec: Codec) -> None:
    slot = slot_of(REGISTERED)
    data = moved(codec, REGISTERED, slot, slot, phone="email")
    with pytest.raises(UndecodableEvent, match="'phone': fails its seal"):
        codec.decode(data, slot)


def test_value_given_to_another_subject_fails(codec: Codec, keys: KeysInMemory) -> None:
    keys.ensure([OTHER])
    slot = slot_of(CAPTURED)
    data = codec.encode(CAPTURED, slot).replace(PERSON.hex.encode(), OTHER.hex.encode())
    with pytest.raises(UndecodableEvent, match="fails its seal"):
        codec.decode(data, slot)


@pytest.mark.parametrize("place", [0, 11, 12, -1])
def test_one_flipped_bit_fails(codec: Codec, place: int) -> None:
    slot = slot_of(OPENED)
    stored = fields_of(codec.encode(OPENED, slot))
    start, _, sealed = stored["summary"].rpartition(".")
    raw = bytearray(urlsafe_b64decode(sealed))
    raw[place] ^= 1
    stored["summary"] = f"{start}.{urlsafe_b64encode(raw).decode()}"
    with pytest.raises(UndecodableEvent, match="'summary': fails its seal"):
        codec.decode(orjson.dumps(stored), slot)


@pytest.mark.parametrize("rest", ["", "a", "a===", "é", "AAAA", "A" * 40, "A" * 15 + "\n", "+/=="])
def test_seal_that_was_cut_or_is_no_base64_fails(
    codec: Codec, keys: KeysInMemory, rest: str
) -> None:
    keys.ensure([PERSON])
    data = orjson.dumps({"name": f"~1.{PERSON.hex}.{rest}"})
    with pytest.raises(UndecodableEvent, match="'name': fails its seal"):
        codec.decode(data, slot_of(REGISTERED))


@pytest.mark.parametrize("plain", ["Mei Lin", "", "~1.", "~1.abc.def", 7, True, ["x"], {"a": 1}])
def test_personal_value_in_plain_text_is_refused(codec: Codec, plain: object) -> None:
    data = orjson.dumps({"name": plain})
    with pytest.raises(UndecodableEvent) as refused:
        codec.decode(data, slot_of(REGISTERED))
    assert "Mei Lin" not in str(refused.value)


@pytest.mark.parametrize("name", [b"summary", rb"\u0073ummary"], ids=["said", "escaped"])
def test_optional_personal_value_in_plain_text_is_refused(codec: Codec, name: bytes) -> None:
    data = b'{"category":"product","channel":"web","%s":"The printer"}' % name
    with pytest.raises(UndecodableEvent, match="'summary': not sealed"):
        codec.decode(data, slot_of(OPENED))


def test_erased_subject_leaves_everything_else(codec: Codec, keys: KeysInMemory) -> None:
    slot = slot_of(CAPTURED)
    data = codec.encode(CAPTURED, slot)
    keys.erase(PERSON)
    blank = dict.fromkeys(("name", "email", "phone"))
    assert codec.decode(data, slot) == CAPTURED.model_copy(update=blank)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_every_event_survives_the_erasure_of_its_subjects(data: st.DataObject) -> None:
    event: Event = data.draw(events_of(CATALOGUE[data.draw(st.sampled_from(_PERSONAL))]))
    keys = KeysInMemory()
    stored = Codec(keys).encode(event, slot_of(event))
    for subject in {AGGREGATE, *(v for _, v in event if isinstance(v, UUID))}:
        keys.erase(subject)
    blank = {field.name: None for field in personal_fields(type(event))}
    assert Codec(keys).decode(stored, slot_of(event)) == event.model_copy(update=blank)


def test_nothing_is_written_of_an_erased_subject(codec: Codec, keys: KeysInMemory) -> None:
    keys.erase(PERSON)
    with pytest.raises(SubjectErased):
        codec.encode(RESPONSE, slot_of(RESPONSE))
    nameless = LeadCaptured(person_id=PERSON, name=None, source="web")
    assert codec.decode(codec.encode(nameless, slot_of(nameless)), slot_of(nameless)) == nameless


def test_subject_without_any_key_is_undecodable(codec: Codec) -> None:
    data = codec.encode(CAPTURED, slot_of(CAPTURED))
    with pytest.raises(UndecodableEvent, match=f"no key was ever stored for subject {PERSON}"):
        Codec(KeysInMemory()).decode(data, slot_of(CAPTURED))


def test_unreachable_keys_stop_the_reader(codec: Codec, keys: KeysInMemory) -> None:
    data = codec.encode(CAPTURED, slot_of(CAPTURED))
    keys.reachable = False
    for ask in (
        lambda: codec.decode(data, slot_of(CAPTURED)),
        lambda: codec.encode(CAPTURED, slot_of(CAPTURED)),
        lambda: codec.prepare([data]),
    ):
        with pytest.raises(KeysUnavailable):
            ask()


def test_ticket_of_nobody_known_is_sealed_for_itself(codec: Codec, keys: KeysInMemory) -> None:
    data = codec.encode(OPENED, slot_of(OPENED))
    keys.erase(AGGREGATE)
    read = codec.decode(data, slot_of(OPENED))
    assert isinstance(read, TicketOpened)
    assert (read.summary, read.category) == (None, "product")
