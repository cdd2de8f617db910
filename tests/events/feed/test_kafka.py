"""What following over Kafka adds: groups, rebalancing, topics that go, records nobody can read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from crm_events.envelope import to_headers
from crm_events.feed.kafka import FeedUnavailable, KafkaFeed, KafkaFeedSettings
from crm_events.feed.port import Lane, LanePosition
from crm_events.partitions import PARTITIONS
from crm_events.relay.topics import ensure_topics
from crm_servers import KafkaServer

from tests.events.feed.conftest import OnKafka
from tests.events.feed.taking import Taker, turn
from tests.events.feed.test_contract import until_taken
from tests.events.topic import delete_topic
from tests.events.writing import things_in
from tests.support.until import until


async def test_consumers_of_a_group_share_the_lanes(on_kafka: OnKafka, tmp_path: Path) -> None:
    one, two = (Taker(tmp_path / "taken.db", name) for name in ("one", "two"))
    on_kafka.writer.spread(300)
    async with on_kafka.taken_by(one) as first, on_kafka.taken_by(two) as second:
        await until(lambda: len(first.owned()) == len(second.owned()) == PARTITIONS / 2, 40)
        assert not first.owned() & second.owned()
        on_kafka.writer.spread(300)
        await until_taken(one, on_kafka)
    assert one.taken() == on_kafka.stored()
    assert one.takers() == {"one", "two"}


async def test_lanes_are_handed_over_without_loss(on_kafka: OnKafka, tmp_path: Path) -> None:
    one, two = (Taker(tmp_path / "taken.db", name) for name in ("one", "two"))
    async with on_kafka.taken_by(one, 50):
        writing = asyncio.create_task(asyncio.to_thread(on_kafka.writer.spread, 4_000))
        await until(lambda: one.count() > 500)
        async with on_kafka.taken_by(two, 50) as second:
            await until(lambda: bool(second.owned()), 40)
            await until(lambda: "two" in one.takers() or one.count() == 4_000)
        await writing
        await until_taken(one, on_kafka)
    assert one.taken() == on_kafka.stored()


async def test_offsets_of_the_group_are_ignored(on_kafka: OnKafka, taker: Taker) -> None:
    on_kafka.writer.spread(300)
    await on_kafka.settled()
    group = f"{on_kafka.namespace}.takers"
    consumer = AIOKafkaConsumer(bootstrap_servers=on_kafka.bootstrap, group_id=group)
    await consumer.start()
    lanes = [TopicPartition(on_kafka.topic, number) for number in range(PARTITIONS)]
    consumer.assign(lanes)
    await consumer.commit(await consumer.end_offsets(lanes))
    await consumer.stop()
    async with on_kafka.taken_by(taker):
        await until_taken(taker, on_kafka)
    assert taker.taken() == on_kafka.stored()


async def test_offsets_are_told_to_the_group(on_kafka: OnKafka, taker: Taker) -> None:
    on_kafka.writer.spread(300)
    async with on_kafka.taken_by(taker):
        await until_taken(taker, on_kafka)
    group = f"{on_kafka.namespace}.takers"
    consumer = AIOKafkaConsumer(bootstrap_servers=on_kafka.bootstrap, group_id=group)
    await consumer.start()
    lane = Lane("contacts", 4)
    told = await consumer.committed(TopicPartition(on_kafka.topic, lane.partition))
    await consumer.stop()
    assert told == taker.load([lane])[lane].offset


async def test_wiped_topic_is_read_from_its_start(on_kafka: OnKafka, taker: Taker) -> None:
    on_kafka.writer.spread(300)
    async with on_kafka.taken_by(taker):
        await until_taken(taker, on_kafka)
    await on_kafka.stop_relay()
    await delete_topic(on_kafka.bootstrap, on_kafka.topic)
    await on_kafka.start_relay()
    on_kafka.writer.spread(100)
    async with on_kafka.taken_by(taker):
        await until_taken(taker, on_kafka)
    assert taker.taken() == on_kafka.stored()
    assert taker.repeats == 300


async def test_topic_wiped_under_a_consumer_is_read_again(on_kafka: OnKafka, taker: Taker) -> None:
    on_kafka.writer.spread(300)
    async with on_kafka.taken_by(taker):
        await until_taken(taker, on_kafka)
        await on_kafka.stop_relay()
        await delete_topic(on_kafka.bootstrap, on_kafka.topic)
        await ensure_topics(on_kafka.bootstrap, on_kafka.namespace, "contacts")
        await on_kafka.start_relay()
        on_kafka.writer.spread(100)
        await until_taken(taker, on_kafka)
    assert taker.taken() == on_kafka.stored()


async def test_position_above_a_topic_is_taken_from_its_start(
    on_kafka: OnKafka, taker: Taker
) -> None:
    """The topic was made anew and is shorter than the stored offset; nothing new comes."""
    on_kafka.writer.spread(100)
    async with on_kafka.taken_by(taker):
        await until_taken(taker, on_kafka)
    beyond = _Beyond(taker)
    feed = on_kafka.feed(beyond)
    await feed.start()
    repeated = 0
    async with asyncio.timeout(30):
        while repeated < 100:
            repeated += sum(len(batch.envelopes) for batch in await feed.poll(500, 0.2))
    await feed.stop()


class _Beyond:
    """Positions with offsets that the topic does not reach."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        return {
            lane: LanePosition(p.sequence, p.event_id, 10_000, p.complete_to)
            for lane, p in self._taker.load(lanes).items()
        }


async def test_unreadable_record_is_told_with_its_bytes(on_kafka: OnKafka, taker: Taker) -> None:
    (id,) = things_in(6)
    on_kafka.writer.write([id])
    await on_kafka.settled()
    producer = AIOKafkaProducer(bootstrap_servers=on_kafka.bootstrap)
    await producer.start()
    stray = [("ce_type", b"crm.contacts.LeadTagged.v1"), ("ce_id", b"no uuid"), ("x", b"\xff")]
    await producer.send_and_wait(on_kafka.topic, b"\x00\x01", b"key", partition=6, headers=stray)
    await producer.send_and_wait(on_kafka.topic, b"{}", partition=6)
    await producer.stop()
    on_kafka.writer.write([id])
    async with on_kafka.taken_by(taker):
        await until_taken(taker, on_kafka)
    assert taker.taken() == on_kafka.stored()
    first, second = taker.unreadable
    assert (first.lane, first.key, first.value) == (Lane("contacts", 6), b"key", b"\x00\x01")
    assert list(first.headers) == stray
    assert second.headers == []
    assert second.offset == (first.offset or 0) + 1


async def test_record_without_a_zone_or_a_value_is_unreadable(
    on_kafka: OnKafka, taker: Taker
) -> None:
    (id,) = things_in(2)
    on_kafka.writer.write([id])
    await on_kafka.settled()
    headers = dict(to_headers(on_kafka.recorder.read_log(0, 1).envelopes[0]))
    broken = [
        ({**headers, "ce_time": b"2026-01-01T00:00:00"}, b"{}"),
        ({**headers, "ce_origin": b"elsewhere"}, b"{}"),
        (headers, None),
    ]
    producer = AIOKafkaProducer(bootstrap_servers=on_kafka.bootstrap)
    await producer.start()
    for found, value in broken:
        await producer.send_and_wait(
            on_kafka.topic, value, b"key", partition=2, headers=list(found.items())
        )
    await producer.stop()
    async with on_kafka.taken_by(taker):
        await until(lambda: len(taker.unreadable) == len(broken))
    assert [u.reason.split(":")[0] for u in taker.unreadable[:2]] == ["ValueError", "ValueError"]
    assert taker.unreadable[2].value is None


async def test_topics_that_are_not_there_are_waited_for(
    kafka: KafkaServer, on_kafka: OnKafka, taker: Taker
) -> None:
    contexts = ("contacts", "pipeline")
    settings = KafkaFeedSettings(kafka.bootstrap, on_kafka.namespace, contexts, "takers")
    nowhere = KafkaFeedSettings(kafka.bootstrap, on_kafka.namespace, ("ticketing",), "others")
    with pytest.raises(FeedUnavailable, match="start the relays"):
        await KafkaFeed(nowhere, taker).start()
    feed = KafkaFeed(settings, taker)
    await feed.start()
    while len(feed.owned()) < PARTITIONS:
        await turn(feed, taker)
    await ensure_topics(kafka.bootstrap, on_kafka.namespace, "pipeline")
    async with asyncio.timeout(40):
        while len(feed.owned()) < 2 * PARTITIONS:
            await turn(feed, taker)
    await feed.stop()
