"""A topic that was wiped and filled again to the very length it had, unseen by who follows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from random import Random

import pytest
from aiokafka import TopicPartition
from crm_events.catalogue import events_topic
from crm_events.envelope import Envelope, to_headers
from crm_events.feed.kafka import KafkaFeed, KafkaFeedSettings
from crm_events.feed.port import Lane, LanePosition
from crm_events.partitions import partition_of
from crm_events.relay.publisher import watermark_headers
from crm_events.relay.publishing import link
from crm_events.store.sqlite import SqliteRecorder

from tests.events.store.building import whole_log
from tests.events.store.conftest import sqlite
from tests.events.writing import Writer, thing
from tests.faults.sim.clients import connecting
from tests.faults.sim.kafka import NAMESPACE, FakeKafka, Put
from tests.faults.sim.loop import VirtualLoop

__all__ = ["sqlite"]
ID = thing(7)
LANE = Lane("contacts", partition_of(ID))
TOPIC = TopicPartition(events_topic(NAMESPACE, "contacts"), LANE.partition)


class Follower:
    """Takes what comes in its lane."""

    def __init__(self, kafka: FakeKafka, loop: VirtualLoop) -> None:
        settings = KafkaFeedSettings("nowhere", NAMESPACE, ("contacts",), "followers")
        self.position = LanePosition()
        self.taken: list[int] = []
        self._feed = KafkaFeed(settings, self, connecting(kafka, loop, Random(1)))

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        return {LANE: self.position} if LANE in lanes else {}

    async def follow(self) -> None:
        await self._feed.start()
        while True:
            for batch in await self._feed.poll(100, 0.2):
                self._take(batch.envelopes, batch.next_offset, batch.complete_to)
                await self._feed.commit({batch.lane: self.position})

    def _take(self, came: Sequence[Envelope], offset: int | None, complete_to: int) -> None:
        before = self.position
        fresh = [e for e in came if e.sequence > before.sequence]
        self.taken += [e.sequence for e in fresh]
        last = (fresh[-1].sequence, fresh[-1].id) if fresh else (before.sequence, before.event_id)
        self.position = LanePosition(*last, offset, max(complete_to, before.complete_to))


@pytest.fixture
def loop() -> Iterator[VirtualLoop]:
    made = VirtualLoop(Random(1))
    yield made
    made.close()


def told(sequence: int, before: int) -> Put:
    return None, b"{}", watermark_headers("contacts", sequence, before)


def test_is_noticed_while_nothing_more_comes(loop: VirtualLoop, sqlite: SqliteRecorder) -> None:
    writer = Writer(sqlite)
    writer.write([ID])
    writer.write([ID])
    linked = link(whole_log(sqlite), {})[0]
    first, second = [(b"", e.data, to_headers(e, before)) for e, before in linked]
    kafka = FakeKafka(["contacts"])
    kafka.make_topics("contacts")
    kafka.put(TOPIC, [first, told(1, 1), told(1, 1)])
    follower = Follower(kafka, loop)
    following = loop.create_task(follower.follow())
    loop.let(5.0)
    assert follower.position.offset == 3
    kafka.wipe("contacts")
    kafka.put(TOPIC, [first, second, told(2, 2)])
    loop.let(70.0)
    following.cancel()
    loop.let(1.0)
    assert follower.taken == [1, 2]
    assert follower.position.complete_to == 2
