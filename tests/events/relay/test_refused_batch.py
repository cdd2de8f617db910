"""A fresh idempotent producer can have one batch refused and the next ones accepted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import MessageSizeTooLargeError
from crm_events.catalogue import events_topic
from crm_events.envelope import Envelope, Headers, to_headers
from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.partitions import partition_of
from crm_events.relay.publisher import (
    Linked,
    Publisher,
    PublishFailed,
    records_of,
    watermark_headers,
)
from crm_events.relay.publishing import link
from crm_events.relay.topics import EVENTS_SETTINGS, ensure_topics
from crm_events.store.sqlite import SqliteRecorder
from crm_servers import KafkaServer

from tests.events.feed.taking import Taker, follow
from tests.events.store.building import whole_log
from tests.events.topic import published, set_topic
from tests.events.writing import Writer, thing
from tests.support.until import until

ID = thing(7)
PARTITION = partition_of(ID)
SMALL, LARGE = b'{"tag":"x"}', b'{"tag":"' + b"x" * 400_000 + b'"}'
NARROW = {**EVENTS_SETTINGS, "max.message.bytes": "390000"}


@pytest.fixture
def events(sqlite: SqliteRecorder) -> list[Linked]:
    """Eight events of one thing; the fifth is too large for a topic that is set too narrow."""
    writer = Writer(sqlite)
    for number in range(1, 9):
        writer.write([ID], LARGE if number == 5 else SMALL)
    return link(whole_log(sqlite), {})[0]


@pytest.fixture
async def topic(kafka: KafkaServer, namespace: str) -> str:
    await ensure_topics(kafka.bootstrap, namespace, "contacts")
    return events_topic(namespace, "contacts")


@asynccontextmanager
async def publisher(kafka: KafkaServer, namespace: str) -> AsyncIterator[Publisher]:
    fresh = Publisher(kafka.bootstrap, namespace, "contacts")
    await fresh.start()
    yield fresh
    await fresh.drop()


async def side_by_side(kafka: KafkaServer, topic: str, events: list[Linked]) -> list[bool]:
    """A fresh producer with one batch for each event, all sent at once; which were accepted."""
    producer = AIOKafkaProducer(
        bootstrap_servers=kafka.bootstrap,
        enable_idempotence=True,
        acks="all",
        max_batch_size=1024 * 1024,
    )
    await producer.start()
    futures = []
    for envelope, before in events:
        batch = producer.create_batch()
        key, headers = str(envelope.aggregate_id).encode(), to_headers(envelope, before)
        batch.append(timestamp=None, key=key, value=envelope.data, headers=headers)
        batch.close()
        futures.append(await producer.send_batch(batch, topic, partition=PARTITION))
    answers = await asyncio.gather(*futures, return_exceptions=True)
    await producer.stop()
    return [not isinstance(answer, BaseException) for answer in answers]


async def set_width(kafka: KafkaServer, topic: str, settings: Mapping[str, str]) -> None:
    """Returns when the broker acts on it, which a watermark of nothing, as large as the fifth
    event, finds out in another partition."""
    await set_topic(kafka.bootstrap, topic, settings)
    headers = watermark_headers("contacts", 0)
    producer = AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, max_request_size=1024 * 1024)
    await producer.start()
    async with asyncio.timeout(20):
        while (settings is NARROW) == await _accepted(producer, topic, headers):
            pass
    await producer.stop()


async def _accepted(producer: AIOKafkaProducer, topic: str, headers: Headers) -> bool:
    try:
        await producer.send_and_wait(topic, LARGE, partition=PARTITION - 1, headers=headers)
    except MessageSizeTooLargeError:
        return False
    return True


def sequences(envelopes: list[Envelope]) -> list[int]:
    return [envelope.sequence for envelope in envelopes]


async def test_refused_batch_loses_nothing(
    kafka: KafkaServer, namespace: str, topic: str, events: list[Linked], tmp_path: Path
) -> None:
    """The topic then holds 1 2 3 4 6 7 8 5 6 7 8, and whoever takes in order has each once."""
    taker = Taker(tmp_path / "taken.db")
    settings = KafkaFeedSettings(kafka.bootstrap, namespace, ("contacts",), "takers")
    following = asyncio.create_task(follow(KafkaFeed(settings, taker), taker))
    async with publisher(kafka, namespace) as first:
        await first.publish(records_of(events[:4]))
    await set_width(kafka, topic, NARROW)
    accepted = await side_by_side(kafka, topic, events[4:])
    assert accepted == [False, True, True, True]
    await until(lambda: bool(taker.gaps))
    await set_width(kafka, topic, EVENTS_SETTINGS)
    async with publisher(kafka, namespace) as again:
        await again.publish(records_of(events[4:]))
    await until(lambda: taker.count() == len(events))
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    found = await published(kafka.bootstrap, namespace, "contacts")
    assert sequences(found[PARTITION]) == [1, 2, 3, 4, 6, 7, 8, 5, 6, 7, 8]
    (taken,) = taker.taken().values()
    assert taken == [(envelope.sequence, envelope.id) for envelope, _ in events]


async def test_consumer_that_comes_later_has_each_once_too(
    kafka: KafkaServer, namespace: str, topic: str, events: list[Linked], tmp_path: Path
) -> None:
    async with publisher(kafka, namespace) as first:
        await first.publish(records_of(events[:4]))
    await set_width(kafka, topic, NARROW)
    await side_by_side(kafka, topic, events[4:])
    await set_width(kafka, topic, EVENTS_SETTINGS)
    async with publisher(kafka, namespace) as again:
        await again.publish(records_of(events[4:]))
        await again.watermark(8, {PARTITION: 8})
    taker = Taker(tmp_path / "taken.db")
    settings = KafkaFeedSettings(kafka.bootstrap, namespace, ("contacts",), "takers")
    following = asyncio.create_task(follow(KafkaFeed(settings, taker), taker, size=3))
    await until(lambda: taker.complete_to() == 8)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    (taken,) = taker.taken().values()
    assert taken == [(envelope.sequence, envelope.id) for envelope, _ in events]


async def test_publisher_sends_nothing_after_a_batch_that_was_refused(
    kafka: KafkaServer, namespace: str, topic: str, sqlite: SqliteRecorder
) -> None:
    """So it leaves no gap itself: the batches of a partition go one after another."""
    writer = Writer(sqlite)
    for size in (300, 300, 400, 300, 300):
        writer.write([ID], b'{"tag":"' + b"x" * size * 1_000 + b'"}')
    await set_width(kafka, topic, NARROW)
    async with publisher(kafka, namespace) as narrow:
        with pytest.raises(PublishFailed, match="MessageSizeTooLarge"):
            await narrow.publish(records_of(link(whole_log(sqlite), {})[0]))
    found = await published(kafka.bootstrap, namespace, "contacts")
    assert sequences(found[PARTITION]) == [1, 2]
