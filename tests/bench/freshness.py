"""R8: how long after a command began a view shows it, beside a bare record that is committed."""

from __future__ import annotations

import asyncio
import time
from asyncio import Runner
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, contextmanager
from dataclasses import replace
from zoneinfo import ZoneInfo

import psycopg
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from crm_events.catalogue import events_topic
from crm_events.clock import utc_now
from crm_events.codec import Codec
from crm_events.feed.port import Lane
from crm_events.partitions import partition_of
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.relay.topics import ensure_topics
from crm_pipeline.domain.order import Order
from crm_projections.engine.database import Database, postgres_database
from crm_projections.engine.feeds import kafka_feeds
from crm_projections.engine.host import ViewHost
from crm_projections.facts.instants import Reporting
from prometheus_client import CollectorRegistry

from tests.bench.ground import Ground, fresh_namespace
from tests.bench.journey import Journeys, TimedView, timed_database, timed_feeds, timed_recorder
from tests.bench.measuring import Bars, Bench, NotDone, Sides
from tests.bench.stores import NAMESPACE, Store, order, postgres_store

_EVERY = 0.02
_TIMES, _QUICK_TIMES = 120, 20
_SECONDS = 60.0
Once = Callable[[], Awaitable[None]]
"""Sends one thing, and returns when it is to be seen."""


async def p99(once: Once, times: int) -> float:
    """Milliseconds that 99 of 100 stay under, one begun every 20 ms whatever became of the last."""
    waiting = []
    for _ in range(times):
        waiting.append(asyncio.create_task(_timed(once)))
        await asyncio.sleep(_EVERY)
    async with asyncio.timeout(_SECONDS):
        found = sorted(await asyncio.gather(*waiting))
    return 1_000 * found[min(len(found) - 1, (len(found) * 99) // 100)]


async def _timed(once: Once) -> float:
    started = time.perf_counter()
    await once()
    return time.perf_counter() - started


@asynccontextmanager
async def whole(store: Store, dsn: str, bootstrap: str, journeys: Journeys) -> AsyncIterator[Once]:
    """Store, relay, Kafka and the engine with the retention view."""
    settings = RelaySettings(bootstrap, fresh_namespace(), "pipeline")
    with (
        closing(postgres_database(dsn, settings.namespace)) as database,
        timed_recorder(store.dsn, f"{NAMESPACE}_pipeline", journeys) as recorder,
    ):
        host = _host(store, timed_database(database, journeys), settings, journeys)
        relaying = asyncio.create_task(Relay(recorder, settings).run())
        await ensure_topics(bootstrap, settings.namespace, "pipeline")
        await host.start()

        def saved(thing: Order) -> int:
            sequence = store.save([thing])
            journeys.reach("saved", [sequence])
            return sequence

        async def once() -> None:
            thing, begun = order(), journeys.clock()
            sequence = await asyncio.to_thread(saved, thing)
            await _shown(host, Lane("pipeline", partition_of(thing.id)), sequence)
            journeys.sample(sequence, begun)

        try:
            async with asyncio.timeout(_SECONDS):
                await once()
            journeys.forget()
            yield once
        finally:
            await host.stop()
            relaying.cancel()
            await asyncio.gather(relaying, return_exceptions=True)


def _host(
    store: Store, database: Database, settings: RelaySettings, journeys: Journeys
) -> ViewHost:
    bootstrap, namespace = settings.bootstrap, settings.namespace
    live = timed_feeds(bootstrap, namespace, journeys)
    feeds = replace(kafka_feeds(bootstrap, namespace), live=live)
    view = TimedView(Reporting(ZoneInfo("UTC"), "EUR"))
    return ViewHost(database, Codec(store.keys), [view], feeds, utc_now, CollectorRegistry())


async def _shown(host: ViewHost, lane: Lane, sequence: int) -> None:
    """Returns when the view has committed that sequence."""
    projection = host.projections[0]
    while True:
        since = host.bell.rings
        state = projection.known().get(lane)
        if state is not None and state.sequence >= sequence:
            return
        if projection.stopped is not None:
            raise NotDone(f"the view stopped: {projection.stopped}")
        await host.bell.heard(since, 1.0)


class Bare:
    """A producer, a consumer that upserts and commits each record, and who waits for which."""

    def __init__(self, producer: AIOKafkaProducer, topic: str) -> None:
        self._producer = producer
        self._topic = topic
        self._waiting: dict[bytes, asyncio.Event] = {}

    async def once(self) -> None:
        thing = order()
        key, seen = thing.id.bytes, asyncio.Event()
        self._waiting[key] = seen
        await self._producer.send_and_wait(self._topic, b"{}" * 150, key, 0)
        await seen.wait()

    async def consume(
        self, consumer: AIOKafkaConsumer, connection: psycopg.AsyncConnection
    ) -> None:
        async for record in consumer:
            await connection.execute(
                "INSERT INTO raw (id, seen) VALUES (%s, %s)"
                " ON CONFLICT (id) DO UPDATE SET seen = excluded.seen",
                (record.key, record.offset),
            )
            self._waiting.pop(record.key).set()


@asynccontextmanager
async def bare(dsn: str, bootstrap: str) -> AsyncIterator[Once]:
    """A record from an idempotent producer to one commit, with nothing in between but Kafka."""
    namespace = fresh_namespace()
    await ensure_topics(bootstrap, namespace, "pipeline")
    topic = events_topic(namespace, "pipeline")
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset="earliest")
    producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", enable_idempotence=True)
    connection = await psycopg.AsyncConnection.connect(dsn, autocommit=True)
    async with connection, producer, consumer:
        await connection.execute("CREATE TABLE raw (id bytea PRIMARY KEY, seen bigint)")
        consumer.assign([TopicPartition(topic, 0)])
        sides = Bare(producer, topic)
        consuming = asyncio.create_task(sides.consume(consumer, connection))
        try:
            async with asyncio.timeout(_SECONDS):
                await sides.once()
            yield sides.once
        finally:
            consuming.cancel()
            await asyncio.gather(consuming, return_exceptions=True)


@contextmanager
def running(
    opening: AbstractAsyncContextManager[Once], times: int
) -> Iterator[Callable[[], float]]:
    """On a loop of its own, which rests while nothing is measured."""
    with Runner() as runner:
        once = runner.run(opening.__aenter__())
        try:
            yield lambda: runner.run(p99(once, times))
        finally:
            runner.run(opening.__aexit__(None, None, None))


@contextmanager
def _opened(place: Ground) -> Iterator[Sides]:
    times, bootstrap = place.size(_TIMES, _QUICK_TIMES), place.kafka.bootstrap
    journeys = Journeys()
    with (
        postgres_store(place) as store,
        place.database() as dsn,
        running(whole(store, dsn, bootstrap, journeys), times) as ours,
        running(bare(dsn, bootstrap), times) as baseline,
    ):
        yield Sides(ours, baseline, proof=journeys.told)


FRESHNESS = Bench(
    "R8",
    "command to view, p99 / bare record to commit, p99",
    "ms",
    _opened,
    Bars(5, 2.5, lower_is_better=True),
)
