"""A watermark names the event before it: whoever has not read that does not believe it."""

from __future__ import annotations

from collections.abc import Sequence

from aiokafka.structs import ConsumerRecord
from crm_events.envelope import Envelope, Headers, to_headers
from crm_events.feed.kafka_records import Reading, begin, begin_again, read_records, same_topic
from crm_events.feed.port import Lane, LanePosition
from crm_events.partitions import partition_of
from crm_events.relay.publisher import watermark_headers
from crm_events.relay.publishing import link
from crm_events.store.sqlite import SqliteRecorder

from tests.events.store.building import whole_log
from tests.events.store.conftest import sqlite
from tests.events.writing import Writer, thing

__all__ = ["sqlite"]
ID = thing(7)
LANE = Lane("contacts", partition_of(ID))


def log(sqlite: SqliteRecorder, count: int) -> list[Envelope]:
    writer = Writer(sqlite)
    for _ in range(count):
        writer.write([ID])
    return whole_log(sqlite)


def record(offset: int, headers: Headers, value: bytes = b"{}") -> ConsumerRecord:
    return ConsumerRecord("topic", LANE.partition, offset, 0, 1, None, value, None, 0, 0, headers)


def told(offset: int, sequence: int, before: int) -> ConsumerRecord:
    return record(offset, watermark_headers("contacts", sequence, before))


def events(envelopes: Sequence[Envelope], offset: int = 0) -> list[ConsumerRecord]:
    linked = link(envelopes, {})[0]
    return [
        record(offset + n, to_headers(envelope, before), envelope.data)
        for n, (envelope, before) in enumerate(linked)
    ]


def reading_on(sequence: int, offset: int) -> Reading:
    reading = begin(LANE, LanePosition(sequence, None, offset, sequence))
    reading.verify, reading.next_offset = False, offset
    return reading


def test_watermark_after_its_event_is_believed(sqlite: SqliteRecorder) -> None:
    reading = reading_on(0, 0)
    batch = read_records(reading, [*events(log(sqlite, 3)), told(3, 9, 3)])
    assert batch is not None
    assert (batch.complete_to, reading.missed) == (9, False)


def test_watermark_without_its_event_tells_that_the_topic_was_wiped(
    sqlite: SqliteRecorder,
) -> None:
    """It was filled again so that event 3 lies before the offset of whoever reads on."""
    three = log(sqlite, 3)
    reading = reading_on(2, 5)
    batch = read_records(reading, [told(5, 9, 3)])
    assert batch is not None
    assert (batch.complete_to, reading.missed) == (2, True)
    begin_again(reading)
    batch = read_records(reading, [*events(three), told(3, 4, 3), told(5, 9, 3)])
    assert batch is not None
    assert [envelope.sequence for envelope in batch.envelopes] == [1, 2, 3]
    assert (batch.complete_to, reading.missed) == (9, False)


def test_watermark_that_was_published_too_early_is_passed_over(sqlite: SqliteRecorder) -> None:
    """Its relay had not found out yet that the topic was wiped."""
    reading = reading_on(2, 1)
    read_records(reading, [told(1, 9, 3)])
    begin_again(reading)
    batch = read_records(reading, [told(1, 9, 3), *events(log(sqlite, 3), 2), told(5, 9, 3)])
    assert batch is not None
    assert (batch.complete_to, reading.missed) == (9, False)


def test_watermark_of_an_earlier_release_names_none_and_is_believed() -> None:
    reading = reading_on(2, 5)
    batch = read_records(reading, [record(5, watermark_headers("contacts", 9)[:3])])
    assert batch is not None
    assert batch.complete_to == 9


def test_unseen_event_at_the_stored_offset_tells_another_topic(sqlite: SqliteRecorder) -> None:
    reading = begin(LANE, LanePosition(2, None, 3, 2))
    assert not same_topic(reading, events(log(sqlite, 3), 0)[2])
