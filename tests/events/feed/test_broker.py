"""A broker that is away, dies or says nothing: the feed tells, and is clean when it is stopped."""

from __future__ import annotations

import asyncio
import gc
from typing import Any

import pytest
from aiokafka.errors import KafkaError
from crm_events.feed.kafka import FeedUnavailable, KafkaFeed
from crm_events.partitions import PARTITIONS
from crm_events.store.sqlite import SqliteRecorder
from crm_servers import KafkaServer

from tests.events.feed.conftest import OnKafka
from tests.events.feed.taking import Taker, turn
from tests.support.until import until


@pytest.fixture
async def log(store: SqliteRecorder, own_kafka: KafkaServer, namespace: str) -> OnKafka:
    return OnKafka(store, own_kafka.bootstrap, namespace)


async def test_feed_starts_when_the_broker_is_back(
    own_kafka: KafkaServer, log: OnKafka, taker: Taker
) -> None:
    log.writer.spread(100)
    await log.settled()
    await asyncio.to_thread(own_kafka.kill)
    feed = log.feed(taker)
    for _ in range(2):
        with pytest.raises(FeedUnavailable, match="Kafka does not answer"):
            await feed.start()
    await asyncio.to_thread(own_kafka.restart)
    await feed.start()
    while taker.count() < 100:
        await turn(feed, taker)
    await feed.stop()
    await log.close()


async def test_feed_outlives_a_restart_of_the_broker(
    own_kafka: KafkaServer, log: OnKafka, taker: Taker
) -> None:
    log.writer.spread(200)
    feed = log.feed(taker)
    await log.settled()
    await feed.start()
    while taker.count() < 200:
        await turn(feed, taker)
    await asyncio.to_thread(own_kafka.kill)
    log.writer.spread(200)
    await asyncio.to_thread(own_kafka.restart)
    async with asyncio.timeout(60):
        while taker.count() < 400:
            feed = await _turn_or_again(feed, log, taker)
    await feed.stop()
    assert taker.taken() == log.stored()
    await log.close()


async def _turn_or_again(feed: KafkaFeed, log: OnKafka, taker: Taker) -> KafkaFeed:
    """As an engine does: a feed that fails is stopped, and another one is made."""
    try:
        await turn(feed, taker)
    except (FeedUnavailable, KafkaError):
        await feed.stop()
        feed = log.feed(taker)
        await feed.start()
    return feed


async def test_silence_of_the_broker_is_an_error(
    own_kafka: KafkaServer, log: OnKafka, taker: Taker
) -> None:
    log.writer.spread(50)
    await log.settled()
    feed = KafkaFeed(log.settings(silence=2.0), taker)
    await feed.start()
    while taker.count() < 50 or len(feed.owned()) < PARTITIONS:
        await turn(feed, taker)
    await asyncio.to_thread(own_kafka.kill)
    with pytest.raises((FeedUnavailable, KafkaError)):
        await _turned_for_ever(feed, taker)
    await feed.stop()
    await log.close()


@pytest.mark.parametrize("which", ["consumer", "marks_consumer"])
async def test_a_consumer_that_has_stopped_fetching_is_told_at_once(
    log: OnKafka, taker: Taker, which: str
) -> None:
    log.writer.spread(50)
    await log.settled()
    feed = log.feed(taker)
    await feed.start()
    while taker.count() < 50:
        await turn(feed, taker)
    client = getattr(feed._running, which)._client
    sent = client.send

    async def torn(node: int, request: Any, **more: Any) -> Any:
        """As uvloop has it where the connection was reset a moment ago."""
        if type(request).__name__.startswith("Fetch"):
            raise RuntimeError("unable to perform operation on a closed transport")
        return await sent(node, request, **more)

    client.send = torn
    with pytest.raises(FeedUnavailable, match="stopped fetching"):
        await asyncio.wait_for(_turned_for_ever(feed, taker), 10)
    await feed.stop()
    await log.close()


async def _turned_for_ever(feed: KafkaFeed, taker: Taker) -> None:
    async with asyncio.timeout(60):
        while True:
            await turn(feed, taker)
            await feed.marks()


async def test_nothing_is_left_when_it_stops(
    own_kafka: KafkaServer, log: OnKafka, taker: Taker
) -> None:
    log.writer.spread(50)
    await log.settled()
    await log.stop_relay()
    loop, tasks = asyncio.get_running_loop(), asyncio.all_tasks()
    for dies in (False, True):
        feed = log.feed(taker)
        await feed.start()
        while len(feed.owned()) < PARTITIONS:
            await turn(feed, taker)
        if dies:
            await asyncio.to_thread(own_kafka.kill)
        async with asyncio.timeout(15):
            await feed.stop()
        try:
            await until(lambda: asyncio.all_tasks(loop) <= tasks)
        except TimeoutError:
            pytest.fail(str(asyncio.all_tasks(loop) - tasks))
    log.recorder.close()
    gc.collect()  # an open connection would complain now
