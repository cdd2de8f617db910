"""What tests ask of topics: their records, and what an operator may do to them."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import ConsumerRecord
from crm_events.catalogue import events_topic
from crm_events.envelope import Envelope, from_headers
from crm_events.feed.kafka_records import watermark_of
from crm_events.partitions import PARTITIONS


async def records_of(
    bootstrap: str, topic: str, partitions: int = PARTITIONS
) -> dict[int, list[ConsumerRecord]]:
    """Everything that is on the topic now, by partition."""
    lanes = [TopicPartition(topic, number) for number in range(partitions)]
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        ends = await consumer.end_offsets(lanes)
        consumer.assign(lanes)
        await consumer.seek_to_beginning(*lanes)
        found: dict[int, list[ConsumerRecord]] = defaultdict(list)
        async with asyncio.timeout(30):
            while not await _read_to(consumer, ends):
                for lane, records in (await consumer.getmany(timeout_ms=200)).items():
                    found[lane.partition] += records
        return found
    finally:
        await consumer.stop()


async def _read_to(consumer: AIOKafkaConsumer, ends: Mapping[TopicPartition, int]) -> bool:
    positions = [await consumer.position(lane) for lane in ends]
    return all(at >= end for at, end in zip(positions, ends.values(), strict=True))


async def published(bootstrap: str, namespace: str, context: str) -> dict[int, list[Envelope]]:
    """The events on a context's topic as they were written, repeats and all."""
    found = await records_of(bootstrap, events_topic(namespace, context))
    return {
        partition: [
            from_headers(record.headers, partition, record.value or b"")
            for record in records
            if watermark_of(record) is None
        ]
        for partition, records in found.items()
    }


async def watermarks(bootstrap: str, namespace: str, context: str) -> dict[int, list[int]]:
    found = await records_of(bootstrap, events_topic(namespace, context))
    return {
        partition: [w for record in records if (w := watermark_of(record)) is not None]
        for partition, records in found.items()
    }


@asynccontextmanager
async def operator(bootstrap: str) -> AsyncIterator[AIOKafkaAdminClient]:
    """Whoever may do anything to topics."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    yield admin
    await admin.close()


async def delete_topic(bootstrap: str, topic: str) -> None:
    """Returns when the broker has forgotten it."""
    async with operator(bootstrap) as admin:
        await admin.delete_topics([topic])
        async with asyncio.timeout(20):
            while topic in await admin.list_topics():
                pass


async def make_topic(
    bootstrap: str, topic: str, partitions: int, settings: Mapping[str, str] | None = None
) -> None:
    async with operator(bootstrap) as admin:
        await admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=settings)])


async def settings_of(bootstrap: str, topic: str, names: Sequence[str]) -> dict[str, str]:
    async with operator(bootstrap) as admin:
        asked = ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict.fromkeys(names))
        (answer,) = await admin.describe_configs([asked])
        return {entry[0]: entry[1] for entry in answer.resources[0][4]}


async def set_topic(bootstrap: str, topic: str, settings: Mapping[str, str]) -> None:
    """These settings, and the broker's own for all others."""
    async with operator(bootstrap) as admin:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs=dict(settings))
        await admin.alter_configs([resource])
