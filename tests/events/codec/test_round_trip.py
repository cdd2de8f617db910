"""What is encoded is decoded, for every event there is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from uuid import UUID

import pytest
from crm_events.codec import Codec
from crm_events.contracts.contacts import LeadTagged, OrganisationRegistered
from crm_events.contracts.pipeline import OrderPlaced
from crm_events.event import Event, Money
from crm_events.keys.port import Erased
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.events.codec.building import AGGREGATE, CAPTURED, OTHER, PERSON, fields_of, slot_of
from tests.support.any_event import any_event
from tests.support.keys import KeysInMemory


class CountingKeys(KeysInMemory):
    """Remembers what each request asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.ensured: list[set[UUID]] = []
        self.found: list[set[UUID]] = []

    def ensure(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes]:
        self.ensured.append(set(subjects))
        return super().ensure(subjects)

    def find(self, subjects: Iterable[UUID]) -> Mapping[UUID, bytes | Erased]:
        self.found.append(set(subjects))
        return super().find(subjects)


@settings(max_examples=400, deadline=None)
@given(any_event(), st.uuids(), st.integers(1, 2**40))
def test_every_event_reads_as_it_was_written(
    event: Event, aggregate_id: UUID, version: int
) -> None:
    codec = Codec(KeysInMemory())
    slot = slot_of(event, aggregate_id, version)
    assert codec.decode(codec.encode(event, slot), slot) == event


def test_what_is_none_takes_no_bytes(codec: Codec) -> None:
    event = OrganisationRegistered(name="北京华信")
    assert fields_of(codec.encode(event, slot_of(event))) == {"name": "北京华信", "stub": False}


def test_amounts_stay_exact_texts(codec: Codec) -> None:
    total = Money.model_validate({"amount": "99999999999999.9999", "currency": "CNY"})
    event = OrderPlaced(customer_id=PERSON, total=total)
    data = codec.encode(event, slot_of(event))
    assert fields_of(data)["total"]["amount"] == "99999999999999.9999"
    assert codec.decode(data, slot_of(event)) == event


def test_one_save_asks_for_keys_once() -> None:
    keys = CountingKeys()
    other = CAPTURED.model_copy(update={"person_id": OTHER})
    plain = LeadTagged(tag="vip")
    Codec(keys).encode_all([(event, slot_of(event)) for event in (CAPTURED, other, plain)])
    assert keys.ensured == [{PERSON, OTHER}]


def test_events_without_personal_values_ask_for_no_key() -> None:
    keys = CountingKeys()
    codec = Codec(keys)
    for event in (
        LeadTagged(tag="vip"),
        CAPTURED.model_validate({"person_id": PERSON, "name": None, "source": "x"}),
    ):
        assert codec.decode(codec.encode(event, slot_of(event)), slot_of(event)) == event
    assert keys.ensured == []
    assert keys.found == []


def test_a_batch_is_prepared_with_one_request() -> None:
    keys = CountingKeys()
    codec = Codec(keys)
    events = [
        CAPTURED.model_copy(update={"person_id": each}) for each in (PERSON, OTHER, AGGREGATE)
    ]
    data = codec.encode_all([(event, slot_of(event)) for event in events])
    codec.prepare([*data, codec.encode(LeadTagged(tag="vip"), slot_of(LeadTagged(tag="vip")))])
    assert keys.found == [{PERSON, OTHER, AGGREGATE}]


@pytest.mark.parametrize("plain", [b"{}", b"not json", b""])
def test_nothing_to_prepare_asks_for_nothing(plain: bytes) -> None:
    keys = CountingKeys()
    Codec(keys).prepare([plain])
    assert keys.found == []
