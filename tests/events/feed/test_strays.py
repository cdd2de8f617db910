"""Events that somebody put into another partition than theirs are passed over, and hold nothing."""

from __future__ import annotations

import pytest
from crm_events.envelope import Envelope
from crm_events.feed.kafka_records import read_records
from crm_events.partitions import partition_of
from crm_events.relay.written import Tail, tail_in
from crm_events.store.sqlite import SqliteRecorder

from tests.events.feed.test_watermarks import ID, LANE, events, reading_on, told
from tests.events.store.building import whole_log
from tests.events.store.conftest import sqlite
from tests.events.writing import Writer, thing

__all__ = ["sqlite"]
ELSEWHERE = next(id for n in range(99) if partition_of(id := thing(n)) != LANE.partition)


@pytest.fixture
def log(sqlite: SqliteRecorder) -> list[Envelope]:
    """Events 1, 3, 5 of the lane, and 2, 4, 6 of another one."""
    writer = Writer(sqlite)
    for _ in range(3):
        writer.write([ID])
        writer.write([ELSEWHERE])
    return whole_log(sqlite)


def of(log: list[Envelope], lane: bool) -> list[Envelope]:
    return [each for each in log if (each.aggregate_id == ID) == lane]


def test_only_events_of_the_partition_are_taken(log: list[Envelope]) -> None:
    own, strays = events(of(log, True)), events(of(log, False), 3)
    reading = reading_on(0, 0)
    batch = read_records(reading, [own[0], *strays, own[1], own[2], told(6, 6, 5)])
    assert batch is not None
    assert [envelope.sequence for envelope in batch.envelopes] == [1, 3, 5]
    assert (batch.complete_to, reading.last) == (6, 5)


def test_first_event_of_another_partition_begins_no_empty_lane(log: list[Envelope]) -> None:
    """It names no event before it, as the lane's own first one does."""
    reading = reading_on(0, 0)
    batch = read_records(reading, events(of(log, False))[:1])
    assert batch is not None
    assert (batch.envelopes, reading.last) == ([], 0)


def test_tail_of_another_partition_says_nothing_of_this_one(log: list[Envelope]) -> None:
    own, stray = events(of(log, True))[-1], events(of(log, False))[-1]
    assert tail_in(own, LANE.partition) == Tail(5, of(log, True)[-1].id)
    assert tail_in(stray, LANE.partition) == Tail(0, None)
