"""The envelope on Kafka: CloudEvents in binary mode, there and back, byte for byte."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest
from aiokafka.partitioner import DefaultPartitioner
from crm_events.envelope import Envelope, MalformedEnvelope, from_headers, to_headers
from crm_events.partitions import PARTITIONS, partition_of
from hypothesis import given
from hypothesis import strategies as st

ENVELOPE = Envelope(
    id=UUID("01a20177-848b-70b2-8a2b-86ca3dc9ff0c"),
    type="crm.pipeline.DealWon.v1",
    aggregate_id=UUID("018f3a52-0000-7000-8000-000000000001"),
    aggregate_version=4,
    sequence=1_234,
    partition=partition_of(UUID("018f3a52-0000-7000-8000-000000000001")),
    recorded_at=datetime(2026, 3, 4, 12, 0, 0, 123_457, tzinfo=UTC),
    occurred_at=datetime(2026, 3, 3, tzinfo=UTC),
    correlation_id=UUID("018f3a52-0000-7000-8000-000000000002"),
    causation_id=UUID("018f3a52-0000-7000-8000-000000000003"),
    command_id=UUID("018f3a52-0000-7000-8000-000000000004"),
    actor="staff:7",
    origin="import",
    supersedes=UUID("018f3a52-0000-7000-8000-000000000005"),
    traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    data=b'{"amount":"12.50"}',
    prevsequence=1_230,
)
GOLDEN = [
    ("ce_specversion", b"1.0"),
    ("ce_id", b"01a20177-848b-70b2-8a2b-86ca3dc9ff0c"),
    ("ce_source", b"/crm/pipeline"),
    ("ce_type", b"crm.pipeline.DealWon.v1"),
    ("ce_subject", b"018f3a52-0000-7000-8000-000000000001"),
    ("ce_time", b"2026-03-04T12:00:00.123457+00:00"),
    ("ce_dataschema", b"/schemas/crm.pipeline.DealWon.v1.json"),
    ("ce_occurredat", b"2026-03-03T00:00:00+00:00"),
    ("ce_sequence", b"1234"),
    ("ce_prevsequence", b"1230"),
    ("ce_aggregateversion", b"4"),
    ("ce_correlationid", b"018f3a52-0000-7000-8000-000000000002"),
    ("ce_commandid", b"018f3a52-0000-7000-8000-000000000004"),
    ("ce_actor", b"staff:7"),
    ("ce_origin", b"import"),
    ("ce_causationid", b"018f3a52-0000-7000-8000-000000000003"),
    ("ce_supersedes", b"018f3a52-0000-7000-8000-000000000005"),
    ("ce_traceparent", b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    ("content-type", b"application/json"),
]

instants = st.datetimes(
    min_value=datetime(1970, 1, 1),  # noqa: DTZ001 (the zone is drawn beside it)
    max_value=datetime(2200, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)
positions = st.integers(1, 2**53)
envelopes = st.builds(
    Envelope,
    id=st.uuids(),
    type=st.sampled_from(["crm.contacts.LeadTagged.v1", "crm.pipeline.OrderPlaced.v2"]),
    aggregate_id=st.uuids(),
    aggregate_version=positions,
    sequence=positions,
    partition=st.integers(0, PARTITIONS - 1),
    recorded_at=instants,
    occurred_at=instants,
    correlation_id=st.uuids(),
    causation_id=st.none() | st.uuids(),
    command_id=st.uuids(),
    actor=st.text(min_size=1),
    origin=st.sampled_from(["live", "import"]),
    supersedes=st.none() | st.uuids(),
    traceparent=st.none() | st.text(min_size=1, alphabet="0123456789abcdef-"),
    data=st.binary(),
    prevsequence=st.integers(0, 2**53),
)


@given(envelopes)
def test_there_and_back_is_the_same(envelope: Envelope) -> None:
    found = from_headers(to_headers(envelope), envelope.partition, envelope.data)
    assert found == envelope


def test_headers_are_these_bytes() -> None:
    assert to_headers(ENVELOPE) == GOLDEN


def test_what_is_absent_has_no_header() -> None:
    bare = replace(ENVELOPE, causation_id=None, supersedes=None, traceparent=None)
    optional = {"ce_causationid", "ce_supersedes", "ce_traceparent"}
    assert to_headers(bare) == [header for header in GOLDEN if header[0] not in optional]


def test_predecessor_may_be_given() -> None:
    assert ("ce_prevsequence", b"17") in to_headers(ENVELOPE, 17)


def test_headers_of_others_are_passed_over() -> None:
    more = [("traceparent", b"x"), *GOLDEN, ("ce_future", b"\xc3\xbc"), ("ce_nothing", None)]
    assert from_headers(more, ENVELOPE.partition, ENVELOPE.data) == ENVELOPE


def test_time_in_another_zone_is_the_same_instant() -> None:
    zone = timezone(timedelta(hours=2))
    text = ENVELOPE.recorded_at.astimezone(zone).isoformat().encode()
    found = from_headers([*GOLDEN, ("ce_time", text)], ENVELOPE.partition, ENVELOPE.data)
    assert found == ENVELOPE
    assert found.recorded_at.tzinfo is UTC


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_id", b"17"),
        ("ce_id", None),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-03-04T12:00:00"),
        ("ce_sequence", b"first"),
        ("ce_origin", b"elsewhere"),
        ("ce_actor", b"\xff"),
    ],
)
def test_attribute_that_cannot_be_read_is_refused(name: str, value: bytes | None) -> None:
    broken = [(key, value if key == name else found) for key, found in GOLDEN]
    with pytest.raises(MalformedEnvelope):
        from_headers(broken, 0, b"{}")


@given(st.uuids())
def test_partition_is_that_of_the_default_partitioner(id: UUID) -> None:
    everywhere = list(range(PARTITIONS))
    chosen = DefaultPartitioner()(str(id).encode(), everywhere, everywhere)
    assert partition_of(id) == chosen
