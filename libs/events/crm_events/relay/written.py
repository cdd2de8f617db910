"""What a context's topics already hold: how far each partition goes, and the newest mark."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from crm_events.catalogue import events_topic, marks_topic
from crm_events.envelope import WATERMARK
from crm_events.partitions import PARTITIONS, partition_of
from crm_events.relay.publisher import PublishFailed
from crm_events.store.port import Mark

_SECONDS: Final = 15.0
_REQUEST_MS: Final = 5_000
_FETCH_BYTES: Final = 64 * 1024
MOST_AHEAD: Final = 5_000
"""Records that may come before the first of a partition that was filled again: a page, and more."""


@dataclass(frozen=True, slots=True)
class Tail:
    """The last record of a partition. `event_id` is None where that is a watermark."""

    sequence: int
    event_id: UUID | None


@dataclass(frozen=True, slots=True)
class Written:
    """`tails` of the partitions that hold anything, `ends` of all, and the newest mark.

    A partition is `headless` where its first events are not there: it was wiped, and written to
    before its relay found out.
    """

    tails: Mapping[int, Tail]
    ends: Mapping[int, int]
    last_mark: Mark | None
    headless: frozenset[int] = frozenset()

    def lost(self, last_in_partition: Mapping[int, int]) -> int | None:
        """The sequence to publish again after, None where nothing published is missing."""
        held = {partition: self._held_to(partition) for partition in last_in_partition}
        short = [
            held[partition]
            for partition, last in last_in_partition.items()
            if held[partition] < last
        ]
        return min(short, default=None)

    def _held_to(self, partition: int) -> int:
        if partition in self.headless or partition not in self.tails:
            return 0
        return self.tails[partition].sequence


async def read_written(bootstrap: str, namespace: str, context: str) -> Written:
    """Look at the ends of a context's topics. Raises PublishFailed when they cannot be read."""
    events = events_topic(namespace, context)
    lanes = [TopicPartition(events, number) for number in range(PARTITIONS)]
    marks = TopicPartition(marks_topic(namespace, context), 0)
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
        request_timeout_ms=_REQUEST_MS,
        max_partition_fetch_bytes=_FETCH_BYTES,
    )
    try:
        async with asyncio.timeout(_SECONDS):
            await consumer.start()
            ends = await consumer.end_offsets([*lanes, marks])
            starts = await consumer.beginning_offsets([*lanes, marks])
            there = {lane: end for lane, end in ends.items() if end > starts[lane]}
            records = await _last_records(consumer, there)
            headless = await _headless(consumer, {lane: starts[lane] for lane in there}, there)
    except Exception as error:
        raise PublishFailed(f"{type(error).__name__}: {error}") from error
    finally:
        await consumer.stop()
    last_mark = mark_in(records.pop(marks)) if marks in records else None
    tails = {lane.partition: tail_in(record, lane.partition) for lane, record in records.items()}
    known_ends = {lane.partition: ends[lane] for lane in lanes}
    return Written(tails, known_ends, last_mark, frozenset(lane.partition for lane in headless))


async def _last_records(
    consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]
) -> dict[TopicPartition, ConsumerRecord]:
    found: dict[TopicPartition, ConsumerRecord] = {}
    if ends:
        consumer.assign(list(ends))
    for lane, end in ends.items():
        consumer.seek(lane, end - 1)
    while len(found) < len(ends):
        for lane, records in (await consumer.getmany(timeout_ms=1_000)).items():
            found[lane] = records[-1]
    return found


async def _headless(
    consumer: AIOKafkaConsumer,
    starts: Mapping[TopicPartition, int],
    ends: Mapping[TopicPartition, int],
) -> set[TopicPartition]:
    lanes = [lane for lane in starts if lane.topic.endswith(".events")]
    for lane in lanes:
        consumer.seek(lane, starts[lane])
    looking, headless = set(lanes), set[TopicPartition]()
    while looking:
        for lane, records in (await consumer.getmany(*looking, timeout_ms=1_000)).items():
            seen = records[-1].offset + 1
            if any(begins(record) for record in records):
                looking.discard(lane)
            elif seen >= ends[lane] or seen - starts[lane] >= MOST_AHEAD:
                looking.discard(lane)
                headless.add(lane)
    return headless


def begins(record: ConsumerRecord) -> bool:
    """Whether it names no event before it in its partition."""
    return int(dict(record.headers).get("ce_prevsequence", b"0")) == 0


def tail_in(record: ConsumerRecord, partition: int) -> Tail:
    """An event of another partition says nothing of this one: all of it is published again."""
    headers = dict(record.headers)
    sequence = int(headers["ce_sequence"])
    if headers["ce_type"] == WATERMARK.encode():
        return Tail(sequence, None)
    if partition_of(UUID(headers["ce_subject"].decode())) != partition:
        return Tail(0, None)
    return Tail(sequence, UUID(headers["ce_id"].decode()))


def mark_in(record: ConsumerRecord) -> Mark:
    raw = orjson.loads(record.value)
    return Mark(datetime.fromisoformat(raw["at"]), raw["sequence"])
