"""The same reactions over Kafka into PostgreSQL, with a topic that may be wiped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest
from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.feed.port import Positions
from crm_events.relay.relay import Relay, RelaySettings
from crm_events.store.open import migrate
from crm_events.store.postgres import PostgresRecorder
from crm_servers import KafkaServer

from tests.events.reactor.conftest import Tiny, running
from tests.events.reactor.tiny import order
from tests.events.relay.conftest import running as relaying
from tests.events.topic import delete_topic
from tests.events.writing import thing
from tests.support.until import until


@pytest.fixture
def own(postgres_dsn: str, namespace: str) -> Iterator[PostgresRecorder]:
    migrate(postgres_dsn, namespace, "contacts")
    recorder = PostgresRecorder(postgres_dsn, f"{namespace}_contacts")
    yield recorder
    recorder.close()


@pytest.fixture
def relay(tiny: Tiny, kafka: KafkaServer, namespace: str) -> Relay:
    settings = RelaySettings(kafka.bootstrap, namespace, "pipeline")
    return Relay(tiny.upstream.recorder, settings)


class Reacting:
    """Reactors of one group."""

    def __init__(self, tiny: Tiny, settings: KafkaFeedSettings) -> None:
        self.tiny = tiny
        self._settings = settings

    def feed(self, positions: Positions) -> KafkaFeed:
        return KafkaFeed(self._settings, positions)

    async def react(self) -> None:
        async with running(self.tiny.reactor(make_feed=self.feed)):
            await self.tiny.caught_up()


@pytest.fixture
def reacting(tiny: Tiny, kafka: KafkaServer, namespace: str) -> Reacting:
    settings = KafkaFeedSettings(kafka.bootstrap, namespace, ("pipeline",), "tiny.reactions")
    return Reacting(tiny, settings)


@pytest.fixture
async def relayed(relay: Relay) -> AsyncIterator[Relay]:
    async with relaying(relay):
        await until(lambda: relay.leading)
        yield relay


def tell(tiny: Tiny, first: int, last: int) -> None:
    for number in range(first, last + 1):
        tiny.upstream.tell(order(thing(number), number))


def tagged(tiny: Tiny, last: int) -> bool:
    return tiny.app.tags() == {thing(n): [str(n)] for n in range(1, last + 1)}


async def test_each_event_has_its_effect_once(
    tiny: Tiny, reacting: Reacting, relayed: Relay
) -> None:
    tell(tiny, 1, 50)
    await reacting.react()
    tell(tiny, 51, 100)
    await reacting.react()
    assert tagged(tiny, 100)
    assert relayed.failing is None


async def test_two_processes_share_the_work(tiny: Tiny, reacting: Reacting, relayed: Relay) -> None:
    first = tiny.reactor(make_feed=reacting.feed)
    second = tiny.reactor(make_feed=reacting.feed)
    async with running(first):
        tell(tiny, 1, 30)
        await tiny.caught_up()
        async with running(second):
            writing = asyncio.create_task(asyncio.to_thread(tell, tiny, 31, 70))
            await writing
            await tiny.caught_up()
        tell(tiny, 71, 100)
        await tiny.caught_up()
    assert tagged(tiny, 100)
    assert relayed.failing is None


async def test_wiped_topic_changes_nothing(
    tiny: Tiny, reacting: Reacting, relay: Relay, kafka: KafkaServer, namespace: str
) -> None:
    """Its offsets begin at nought again; what was reacted to is not reacted to again."""
    async with relaying(relay):
        tell(tiny, 1, 60)
        await until(lambda: relay.position >= tiny.upstream.recorder.safe_position())
        await reacting.react()
    await delete_topic(kafka.bootstrap, f"{namespace}.pipeline.events")
    async with relaying(relay):
        await until(lambda: relay.leading)
        tell(tiny, 61, 80)
        await reacting.react()
        tell(tiny, 81, 100)
        await reacting.react()
    assert tagged(tiny, 100)


async def test_broker_that_is_not_there_is_told(tiny: Tiny) -> None:
    settings = KafkaFeedSettings("127.0.0.1:1", "nowhere", ("pipeline",), "tiny.reactions")
    reactor = tiny.reactor(make_feed=lambda positions: KafkaFeed(settings, positions))
    async with running(reactor):
        await until(lambda: reactor.failing is not None)
        assert "FeedUnavailable" in (reactor.failing or "")
