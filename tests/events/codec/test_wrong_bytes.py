"""Bytes that no producer of ours wrote: refused as undecodable, never with another exception."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest
from crm_events.catalogue import CATALOGUE, UnknownEventType
from crm_events.codec import Codec, Slot, UndecodableEvent
from crm_events.contracts.contacts import LeadTagged
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.event import Event, Money
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.events.codec.building import (
    AGGREGATE,
    CAPTURED,
    PERSON,
    REGISTERED,
    fields_of,
    slot_of,
)
from tests.support.any_event import any_event
from tests.support.keys import KeysInMemory

_TOKENS = st.builds(
    "~1.{}.{}".format, st.just(PERSON.hex) | st.text(max_size=32), st.text("aA0-_=.é", max_size=60)
)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["1e999999", "NaN", "9999-99-99", "0001-01-01T00:00:00+24:00", str(PERSON)])
    | _TOKENS
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner),
    max_leaves=6,
)
_TYPES = st.sampled_from(sorted(CATALOGUE))


def read_or_refused(data: bytes, type: str) -> Event | None:
    """What is read; None where it is undecodable. Any other exception fails the test."""
    keys = KeysInMemory()
    keys.ensure([PERSON])
    try:
        return Codec(keys).decode(data, Slot(type, AGGREGATE, 1))
    except UndecodableEvent:
        return None


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200), _TYPES)
def test_arbitrary_bytes_are_undecodable(data: bytes, type: str) -> None:
    read_or_refused(data, type)


@settings(max_examples=400, deadline=None)
@given(_JSON, _TYPES)
def test_arbitrary_json_is_undecodable(value: Any, type: str) -> None:
    read_or_refused(orjson.dumps(value), type)


@settings(max_examples=400, deadline=None)
@given(any_event(), st.data())
def test_replaced_fields_are_read_or_undecodable(event: Event, data: st.DataObject) -> None:
    stored = fields_of(Codec(KeysInMemory()).encode(event, slot_of(event)))
    names = st.sampled_from(sorted(type(event).model_fields)) if stored else st.just("x")
    changed = stored | data.draw(st.dictionaries(names, _JSON, min_size=1, max_size=3))
    read = read_or_refused(orjson.dumps(changed), event.TYPE)
    assert read is None or type(read) is type(event)


@settings(max_examples=300, deadline=None)
@given(any_event(), st.data())
def test_cut_and_flipped_bytes_are_read_or_undecodable(event: Event, data: st.DataObject) -> None:
    stored = bytearray(Codec(KeysInMemory()).encode(event, slot_of(event)))
    place = data.draw(st.integers(0, len(stored) - 1))
    stored[place] ^= data.draw(st.integers(1, 255))
    read_or_refused(bytes(stored), event.TYPE)
    read_or_refused(bytes(stored[:place]), event.TYPE)


@pytest.mark.parametrize("type", ["crm.contacts.LeadTagged.v1", "crm.contacts.LeadCaptured.v2"])
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"tag":"\\ud800","name":"\\ud800"}',
        b"[" * 100_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
    ],
    ids=["empty", "null", "list", "text", "cut", "bytes", "surrogate", "deep", "nested"],
)
def test_bytes_that_hold_no_event_are_undecodable(data: bytes, type: str) -> None:
    assert read_or_refused(data, type) is None


@pytest.mark.parametrize(
    "type", ["crm.contacts.LeadCaptured.v3", "crm.contacts.Unheard.v1", "LeadTagged", ""]
)
def test_unknown_type_asks_for_an_upgrade(codec: Codec, type: str) -> None:
    with pytest.raises(UnknownEventType, match="upgrade this service") as refused:
        codec.decode(b"{}", Slot(type, AGGREGATE, 1))
    assert refused.value.name == type


@pytest.mark.parametrize("event", [LeadTagged(tag="vip"), CAPTURED], ids=["plain", "sealed"])
def test_fields_of_a_newer_producer_are_ignored(codec: Codec, event: Event) -> None:
    newer = fields_of(codec.encode(event, slot_of(event))) | {"mood": {"level": 3}}
    assert codec.decode(orjson.dumps(newer), slot_of(event)) == event


def test_fields_of_a_newer_producer_are_ignored_inside_parts(codec: Codec) -> None:
    event = OrderPlaced(
        customer_id=PERSON, total=Money.model_validate({"amount": "1.5", "currency": "EUR"})
    )
    newer = fields_of(codec.encode(event, slot_of(event)))
    newer["total"]["tax"] = "0.2"
    assert codec.decode(orjson.dumps(newer), slot_of(event)) == event


def test_what_is_refused_is_not_told(codec: Codec) -> None:
    stored = fields_of(codec.encode(REGISTERED, slot_of(REGISTERED)))
    for name, value in (("region", ["secret word"]), ("organisation_id", "secret word")):
        with pytest.raises(UndecodableEvent, match=name) as refused:
            codec.decode(orjson.dumps(stored | {name: value}), slot_of(REGISTERED))
        assert "secret word" not in str(refused.value)
        assert "secret word" not in repr(refused.value.__cause__)


def test_opened_value_beyond_its_limits_is_not_told(codec: Codec) -> None:
    longer = CAPTURED.model_copy(update={"name": "secret " * 100})
    data = codec.encode(longer, slot_of(longer))
    with pytest.raises(UndecodableEvent, match="name") as refused:
        codec.decode(data, slot_of(longer))
    assert "secret" not in str(refused.value)


def test_slot_binds_to_context_aggregate_version_and_field() -> None:
    slot = Slot("crm.contacts.LeadCaptured.v1", UUID(int=1), 7)
    assert slot.bound_to("name") == b"contacts|00000000-0000-0000-0000-000000000001|7|name"
