"""Where an aggregate lies: as Kafka's own clients would put its key, on every client."""

from __future__ import annotations

from collections import Counter
from uuid import UUID

import pytest
from aiokafka.partitioner import murmur2
from crm_events.ids import new_id
from crm_events.partitions import PARTITIONS, partition_of

# From org.apache.kafka.common.utils.Utils.murmur2 of Kafka 4.3.0.
HASHES = [
    ("21", -973932308),
    ("foobar", -790332482),
    ("a-little-bit-long-string", -985981536),
    ("a-little-bit-longer-string", -1486304829),
    ("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
    ("abc", 479470107),
    ("", 275646681),
]
# From BuiltInPartitioner.partitionForKey of the same, for 12 partitions.
PLACES = [
    ("00000000-0000-0000-0000-000000000000", 9),
    ("ffffffff-ffff-ffff-ffff-ffffffffffff", 6),
    ("018f3a52-0000-7000-8000-000000000001", 4),
    ("018f3a52-0000-7000-8000-000000000002", 10),
    ("018f3a52-7b1c-7def-8a01-00000000001e", 6),
    ("474feebf-e234-5030-a064-d70927faa88a", 4),
    ("9d1fda87-aef5-5aaf-a702-552314e93aa5", 2),
    ("6ba7b810-9dad-11d1-80b4-00c04fd430c8", 1),
    ("f47ac10b-58cc-4372-a567-0e02b2c3d479", 2),
    ("0b8e4d8a-3f5d-8c6e-9b1a-2d3c4e5f6071", 6),
    ("e5b61bf3-0239-58ab-a630-327917cde25e", 11),
    ("1356c92f-920c-598f-a9b3-d16adcd72d73", 1),
    ("4daf395f-195c-584d-ae1a-4fb833402d44", 7),
]


@pytest.mark.parametrize(("text", "hashed"), HASHES, ids=[text or "empty" for text, _ in HASHES])
def test_hash_is_that_of_kafkas_java_client(text: str, hashed: int) -> None:
    assert murmur2(text.encode()) & 0xFFFFFFFF == hashed & 0xFFFFFFFF


@pytest.mark.parametrize(("id", "partition"), PLACES)
def test_partition_is_that_of_kafkas_java_client(id: str, partition: int) -> None:
    assert partition_of(UUID(id)) == partition


def test_there_are_twelve_partitions_for_ever() -> None:
    assert PARTITIONS == 12


def test_fresh_aggregates_spread_evenly() -> None:
    counts = Counter(partition_of(new_id()) for _ in range(6_000))
    assert counts.keys() == set(range(PARTITIONS))
    assert max(counts.values()) < 650
    assert min(counts.values()) > 370
