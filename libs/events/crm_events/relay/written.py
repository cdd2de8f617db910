"""What a topic already holds: whether it was wiped, and up to which mark it tells times."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import datetime

import orjson
from aiokafka import AIOKafkaConsumer, TopicPartition

from crm_events.catalogue import events_topic, marks_topic
from crm_events.partitions import PARTITIONS
from crm_events.relay.publisher import PublishFailed


@dataclass(frozen=True, slots=True)
class Written:
    """`empty`: no events partition holds a record. `last_mark`: the newest published mark."""

    empty: bool
    last_mark: datetime | None


async def read_written(bootstrap: str, namespace: str, context: str) -> Written:
    """Look at the ends of a context's topics. Raises PublishFailed when they cannot be read."""
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, auto_offset_reset="earliest"
    )
    try:
        async with asyncio.timeout(15):
            await consumer.start()
            events = events_topic(namespace, context)
            lanes = [TopicPartition(events, number) for number in range(PARTITIONS)]
            ends = await consumer.end_offsets(lanes)
            starts = await consumer.beginning_offsets(lanes)
            marks = TopicPartition(marks_topic(namespace, context), 0)
            last_mark = await _last_mark(consumer, marks)
        return Written(all(ends[lane] == starts[lane] for lane in lanes), last_mark)
    except Exception as error:
        raise PublishFailed(f"{type(error).__name__}: {error}") from error
    finally:
        await consumer.stop()


async def _last_mark(consumer: AIOKafkaConsumer, marks: TopicPartition) -> datetime | None:
    end = (await consumer.end_offsets([marks]))[marks]
    if end == (await consumer.beginning_offsets([marks]))[marks]:
        return None
    consumer.assign([marks])
    consumer.seek(marks, end - 1)
    record = await consumer.getone(marks)
    return datetime.fromisoformat(orjson.loads(record.value)["at"])
