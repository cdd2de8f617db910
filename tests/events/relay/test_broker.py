"""A broker that is killed, comes back, or says nothing at all: nothing is lost, nothing leaks."""

from __future__ import annotations

import asyncio

import pytest
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.store.sqlite import SqliteRecorder
from crm_servers import KafkaServer

from tests.events.relay.conftest import reaches, running
from tests.events.topic import published
from tests.events.writing import Writer, chains, without_repeats
from tests.support.until import until


@pytest.fixture
def writer(sqlite: SqliteRecorder) -> Writer:
    return Writer(sqlite)


@pytest.fixture
def relay(own_kafka: KafkaServer, namespace: str, writer: Writer) -> Relay:
    return Relay(writer.recorder, RelaySettings(own_kafka.bootstrap, namespace, "contacts"))


async def holds_all(kafka: KafkaServer, namespace: str, writer: Writer) -> None:
    found = await published(kafka.bootstrap, namespace, "contacts")
    stored = chains(writer.recorder)
    assert {lane: without_repeats(events) for lane, events in found.items()} == stored


async def test_nothing_is_lost_when_the_broker_dies_in_the_middle(
    own_kafka: KafkaServer, namespace: str, writer: Writer, relay: Relay
) -> None:
    async with running(relay):
        await reaches(relay, writer.spread(200))
        writing = asyncio.create_task(asyncio.to_thread(writer.spread, 5_000))
        await until(lambda: relay.position > 300)
        await asyncio.to_thread(own_kafka.kill)
        last = await writing
        await until(lambda: relay.failing is not None, 40)
        await asyncio.to_thread(own_kafka.restart)
        await reaches(relay, last, 60)
    await holds_all(own_kafka, namespace, writer)


async def test_broker_that_is_down_at_first_is_waited_for(
    own_kafka: KafkaServer, namespace: str, writer: Writer, relay: Relay
) -> None:
    await asyncio.to_thread(own_kafka.stop)
    last = writer.spread(100)
    async with running(relay):
        await until(lambda: relay.failing is not None)
        assert not relay.leading
        await asyncio.to_thread(own_kafka.restart)
        await reaches(relay, last, 60)
        assert relay.failing is None
    await holds_all(own_kafka, namespace, writer)


async def test_it_stops_while_the_broker_is_dead(
    own_kafka: KafkaServer, writer: Writer, relay: Relay
) -> None:
    tasks = asyncio.all_tasks()
    async with asyncio.timeout(30), running(relay):
        await reaches(relay, writer.spread(100))
        await asyncio.to_thread(own_kafka.kill)
        writer.spread(100)
    assert writer.recorder.lead() is not None
    writer.recorder.resign()
    assert asyncio.all_tasks() <= tasks
