"""aiokafka's clients as the product uses them, over the broker in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from aiokafka import TopicPartition
from aiokafka.structs import ConsumerRecord
from crm_events.catalogue import events_topic, marks_topic
from crm_events.feed.kafka_session import KafkaFeedSettings, KafkaSession
from crm_events.relay.publisher import PublishFailed
from crm_events.relay.written import MOST_AHEAD, Written, begins, mark_in, tail_in

from tests.faults.sim.kafka import NAMESPACE, FakeKafka, Put
from tests.faults.sim.loop import CURRENT, VirtualLoop

_RECORDS_IN_A_BATCH: Final = 3


class FakeBatch:
    """Small, so that a few events make several batches."""

    def __init__(self) -> None:
        self.records: list[Put] = []

    def append(self, *, timestamp: int | None, key: Any, value: Any, headers: Any) -> Any:  # noqa: ARG002
        if len(self.records) == _RECORDS_IN_A_BATCH:
            return None
        self.records.append((key, value, headers))
        return self.records

    def close(self) -> None:
        """Nothing more is appended by those who call it."""

    def record_count(self) -> int:
        return len(self.records)


class _Acknowledged:
    def __init__(self, offset: int) -> None:
        self.offset = offset


class FakeProducer:
    """What was sent is under way by itself: it may arrive after its sender has died."""

    def __init__(self, kafka: FakeKafka, loop: VirtualLoop) -> None:
        self._kafka = kafka
        self._loop = loop

    async def start(self) -> None:
        await self._kafka.up()

    def create_batch(self) -> FakeBatch:
        return FakeBatch()

    async def send_batch(
        self, batch: FakeBatch, topic: str, *, partition: int
    ) -> asyncio.Future[Any]:
        await self._kafka.up()
        lane = TopicPartition(topic, partition)
        return self._loop.step(lambda: _Acknowledged(self._kafka.put(lane, batch.records)))

    async def abandon(self) -> None:
        """There is nothing to close."""


class FakeBroker:
    """The relay's port."""

    def __init__(self, kafka: FakeKafka, loop: VirtualLoop, context: str) -> None:
        self._kafka = kafka
        self._loop = loop
        self._context = context

    async def look(self) -> Written:
        """Raises PublishFailed while the broker is down."""
        if self._kafka.down:
            raise PublishFailed("the broker is down")
        written: Written = await self._loop.step(self._written)
        return written

    def producer(self) -> FakeProducer:
        return FakeProducer(self._kafka, self._loop)

    def _written(self) -> Written:
        self._kafka.make_topics(self._context)
        lanes = self._kafka.partitions(events_topic(NAMESPACE, self._context))
        logs = {lane.partition: self._kafka.lanes[lane] for lane in lanes}
        tails = {number: tail_in(log[-1], number) for number, log in logs.items() if log}
        marks = self._kafka.lanes[TopicPartition(marks_topic(NAMESPACE, self._context), 0)]
        last_mark = mark_in(marks[-1]) if marks else None
        headless = {n for n, log in logs.items() if log and not any(map(begins, log[:MOST_AHEAD]))}
        ends = {number: len(log) for number, log in logs.items()}
        return Written(tails, ends, last_mark, frozenset(headless))


class FakeConsumer:
    """A member of a group, or without one. It is handed some of its lanes at a time, in any order,
    and of each a part."""

    def __init__(
        self, kafka: FakeKafka, loop: VirtualLoop, chance: Random, group: str | None
    ) -> None:
        self._kafka, self._loop, self._chance = kafka, loop, chance
        self._group = None if group is None else kafka.groups[group]
        self.part = CURRENT.get()
        self._client = self
        self._listener: Any = None
        self._generation = -1
        self._topics: Sequence[str] = ()
        self._mine: set[TopicPartition] = set()
        self._next: dict[TopicPartition, int] = {}

    async def start(self) -> None:
        await self._kafka.up()

    async def close(self) -> None:
        """There is no connection."""

    async def stop(self) -> None:
        if self._group is not None:
            self._group.leave(self)

    async def topics(self) -> set[str]:
        await self._kafka.up()
        return set(self._kafka.made)

    def subscribe(self, topics: Sequence[str], listener: Any) -> None:
        self._topics, self._listener, self._generation = topics, listener, -1

    def assign(self, lanes: Sequence[TopicPartition]) -> None:
        self._mine = set(lanes)
        self._next = {lane: self._next.get(lane, 0) for lane in lanes}

    def assignment(self) -> frozenset[TopicPartition]:
        return frozenset(self._mine)

    def seek(self, lane: TopicPartition, offset: int) -> None:
        self._next[lane] = offset

    def highwater(self, lane: TopicPartition) -> int | None:
        return len(self._kafka.lanes[lane])

    def last_poll_timestamp(self, lane: TopicPartition) -> int | None:  # noqa: ARG002
        return None if self._kafka.down else int(self._loop.time() * 1_000)

    async def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Nobody looks at them."""

    async def getmany(
        self, *lanes: TopicPartition, timeout_ms: int, max_records: int
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        if self._kafka.down or not await self._loop.step(self._in_its_group):
            await self._wait(timeout_ms)
            return {}
        found: dict[TopicPartition, list[ConsumerRecord]] = await self._loop.step(
            lambda: self._some(lanes or tuple(self._mine), max_records)
        )
        if not found:
            await self._wait(timeout_ms)
        return found

    async def _wait(self, milliseconds: int) -> None:
        """Never for no time at all, as whoever asks again at once would stop the clock."""
        await asyncio.sleep(max(milliseconds, 1) / 1_000)

    def _in_its_group(self) -> bool:
        group = self._group
        if group is None or not self._topics:
            return True
        group.join(self)
        if self._generation == group.generation:
            return True
        self._listener.on_partitions_revoked(self._mine)
        lanes = [lane for topic in self._topics for lane in self._kafka.partitions(topic)]
        self._generation, self._mine = group.generation, group.share(self, lanes)
        self._listener.on_partitions_assigned(self._mine)
        return False

    def _some(
        self, lanes: Sequence[TopicPartition], most: int
    ) -> dict[TopicPartition, list[ConsumerRecord]]:
        found: dict[TopicPartition, list[ConsumerRecord]] = {}
        for lane in self._chance.sample(sorted(lanes), len(lanes)):
            log, start = self._kafka.lanes[lane], self._next.get(lane, 0)
            if start > len(log):
                self._next[lane] = start = 0  # the reset for an offset that is out of range
            count = min(self._chance.randint(0, 4), most)
            if lane in self._mine and (records := log[start : start + count]):
                found[lane] = records
                self._next[lane] = start + len(records)
                most -= len(records)
        return found


def connecting(kafka: FakeKafka, loop: VirtualLoop, chance: Random) -> Any:
    """What a feed connects with."""

    def connect(settings: KafkaFeedSettings) -> KafkaSession:
        group = f"{settings.namespace}.{settings.group}"
        return KafkaSession(
            FakeConsumer(kafka, loop, chance, group), FakeConsumer(kafka, loop, chance, None)
        )

    return connect
