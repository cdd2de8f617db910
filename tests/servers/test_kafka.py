import asyncio

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError
from crm_servers import KafkaServer

LASTING = {"retention.ms": "-1", "message.timestamp.type": "LogAppendTime"}


async def _create(server: KafkaServer, topic: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=server.bootstrap)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 12, 1, topic_configs=LASTING)])
    finally:
        await admin.close()


async def _send(server: KafkaServer, topic: str, value: bytes) -> int:
    """The timestamp type that the broker answered with."""
    producer = AIOKafkaProducer(
        bootstrap_servers=server.bootstrap, acks="all", enable_idempotence=True
    )
    await producer.start()
    try:
        sent = await producer.send_and_wait(topic, value, key=b"one", partition=3, timestamp_ms=1)
    finally:
        await producer.stop()
    return int(sent.timestamp_type)


async def _read(server: KafkaServer, topic: str) -> list[bytes]:
    consumer = AIOKafkaConsumer(
        bootstrap_servers=server.bootstrap, auto_offset_reset="earliest", enable_auto_commit=False
    )
    await consumer.start()
    try:
        consumer.assign([TopicPartition(topic, 3)])
        found = await consumer.getmany(timeout_ms=10_000)
    finally:
        await consumer.stop()
    return [record.value for records in found.values() for record in records]


async def test_acknowledged_records_outlive_a_kill(own_kafka: KafkaServer, namespace: str) -> None:
    topic = f"{namespace}.killed"
    await _create(own_kafka, topic)
    await _send(own_kafka, topic, b"kept")
    await asyncio.to_thread(own_kafka.kill)
    assert not own_kafka.answers()
    await asyncio.to_thread(own_kafka.restart)
    assert await _read(own_kafka, topic) == [b"kept"]


async def test_records_outlive_stop_and_start(own_kafka: KafkaServer, namespace: str) -> None:
    topic = f"{namespace}.stopped"
    await _create(own_kafka, topic)
    await _send(own_kafka, topic, b"kept")
    await asyncio.to_thread(own_kafka.stop)
    await asyncio.to_thread(own_kafka.start)
    assert await _read(own_kafka, topic) == [b"kept"]


async def test_a_topic_can_carry_the_log_append_time(kafka: KafkaServer, namespace: str) -> None:
    await _create(kafka, f"{namespace}.times")
    assert await _send(kafka, f"{namespace}.times", b"at") == 1


async def test_no_topic_appears_by_accident(kafka: KafkaServer, namespace: str) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, request_timeout_ms=1_000)
    await producer.start()
    try:
        with pytest.raises(KafkaError):
            await producer.send_and_wait(f"{namespace}.nobody-made-it", b"lost")
    finally:
        await producer.stop()
