"""The feed over Kafka: consumer groups share lanes, and SQL positions decide where each is read.

aiokafka rebalances eagerly, swallows exceptions from its callbacks and sends no heartbeat while one
runs. So a callback only notes what is assigned; the next poll seeks those lanes to their stored
positions, and only lanes that were sought are read.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Final

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError
from aiokafka.structs import ConsumerRecord

from crm_events.catalogue import events_topic, marks_topic
from crm_events.connecting import to_the_end
from crm_events.feed.kafka_marks import KafkaMarks
from crm_events.feed.kafka_offsets import KafkaOffsets
from crm_events.feed.kafka_records import Reading, begin, begin_again, read_all, same_topic
from crm_events.feed.kafka_session import Connect, FeedUnavailable, KafkaFeedSettings, KafkaSession
from crm_events.feed.kafka_silence import Silences
from crm_events.feed.port import Lane, LaneBatch, LanePosition, Positions
from crm_events.store.port import Mark

__all__ = ["FeedUnavailable", "KafkaFeed", "KafkaFeedSettings"]

_log = structlog.get_logger("crm.feed")
_SLICE: Final = 0.1
_IN_A_THREAD: Final = 300
_LOOK_EVERY: Final = 2.0
Records = Mapping[TopicPartition, Sequence[ConsumerRecord]]


class KafkaFeed(ConsumerRebalanceListener):  # type: ignore[misc]
    """The Feed port over one aiokafka consumer, and one more for the marks.

    Errors of the broker and of the positions' store pass through `start` and `poll`; the feed may
    then be stopped and started again, and goes on from the stored positions.
    """

    def __init__(
        self, settings: KafkaFeedSettings, positions: Positions, connect: Connect = KafkaSession.of
    ) -> None:
        self._settings = settings
        self._connect = connect
        self._positions = positions
        self._contexts = {events_topic(settings.namespace, c): c for c in settings.contexts}
        self._session: KafkaSession | None = None
        self._readings: dict[TopicPartition, Reading] = {}
        self._to_seek: set[TopicPartition] = set()
        self._marks_topics = {marks_topic(settings.namespace, c): c for c in settings.contexts}
        self._offsets, self._silences = KafkaOffsets(), Silences()
        self._assigned = False
        self._topics: set[str] = set()
        self._looked_at = 0.0

    # --- rebalancing ---

    def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:  # noqa: ARG002
        """What is in flight is abandoned; the compare-and-set refuses it if it comes too late."""
        self._forget_lanes()

    def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        self._forget_lanes()
        self._to_seek, self._assigned = set(assigned), True

    def _forget_lanes(self) -> None:
        self._readings, self._to_seek = {}, set()
        self._offsets.forget()
        self._assigned = False

    async def _seek(self) -> None:
        """Go to the stored positions of the lanes that are assigned and not yet sought."""
        wanted = set(self._to_seek)
        if not wanted:
            return
        lanes = {partition: self._lane(partition) for partition in wanted}
        stored = await asyncio.to_thread(self._positions.load, list(lanes.values()))
        for partition in wanted & self._to_seek & self._consumer.assignment():
            reading = begin(lanes[partition], stored.get(lanes[partition], LanePosition()))
            self._consumer.seek(partition, reading.next_offset or 0)
            self._readings[partition] = reading
            self._to_seek.discard(partition)

    def _lane(self, partition: TopicPartition) -> Lane:
        return Lane(self._contexts[partition.topic], partition.partition)

    def _partition(self, lane: Lane) -> TopicPartition:
        return TopicPartition(events_topic(self._settings.namespace, lane.context), lane.partition)

    @property
    def _consumer(self) -> Any:
        return self._running.consumer

    @property
    def _running(self) -> KafkaSession:
        if self._session is None:
            raise FeedUnavailable("the feed is not started")
        return self._session

    # --- the port ---

    async def start(self) -> None:
        """Connect and join the group. Raises FeedUnavailable with the reason."""
        session = self._connect(self._settings)
        self._session, self._topics = session, set()
        self._marks = KafkaMarks(session.marks_consumer, self._marks_topics)
        try:
            await to_the_end(session.open())
            await self._subscribe()
        except BaseException:
            await self.stop()
            raise

    async def _subscribe(self) -> None:
        """To the topics that exist; a relay that was never started has made none yet."""
        self._looked_at = asyncio.get_running_loop().time()
        wanted = self._marks_topics.keys() | self._contexts.keys()
        there = await self._running.topics() & wanted
        events = there & set(self._contexts)
        if not events:
            raise FeedUnavailable("there are no topics yet; start the relays of the contexts")
        if there != self._topics:
            self._topics = there
            self._marks.follow(there)
            self._consumer.subscribe(sorted(events), listener=self)
            _log.info("lanes_followed", consumer=self._settings.group, count=len(events))

    async def _look_for_topics(self) -> None:
        late = asyncio.get_running_loop().time() - self._looked_at > _LOOK_EVERY
        if late and len(self._topics) < 2 * len(self._contexts):
            await self._subscribe()

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout
        await self._look_for_topics()
        self._to_seek |= self._silences.in_doubt(self._readings, clock())
        while True:
            await self._seek()
            found = await self._fetch(max_events, min(_SLICE, max(deadline - clock(), 0.0)))
            self._listen(found)
            batches = await self._read(found)
            if batches or clock() >= deadline:
                self._offsets.tell_sometimes(self._consumer, clock())
                return batches

    async def _fetch(self, max_events: int, seconds: float) -> Records:
        """What has come for the lanes that were sought; what comes for others is dropped, as they
        are sought before they are read."""
        ready = [partition for partition in self._readings if partition not in self._to_seek]
        try:
            async with asyncio.timeout(seconds + _SLICE):  # while rebalancing it would not return
                found: Records = await self._consumer.getmany(
                    *ready, timeout_ms=int(seconds * 1000), max_records=max_events
                )
        except TimeoutError:
            return {}
        except KafkaError:
            self._to_seek |= set(self._readings)  # what came with the error is read again
            raise
        return {partition: found[partition] for partition in ready if partition in found}

    def _listen(self, found: Records) -> None:
        """A consumer without lanes hears nothing; one without an assignment waits for others."""
        silence = self._settings.silence if self._assigned else 2 * self._settings.silence
        idle = self._assigned and not self._readings and not self._to_seek
        self._running.listen(bool(found) or idle, list(self._readings), silence)

    async def _read(self, found: Records) -> list[LaneBatch]:
        pairs = self._of_the_same_topic(found)
        try:
            if sum(len(records) for _, records in pairs) > _IN_A_THREAD:
                read = await asyncio.to_thread(read_all, pairs)
            else:
                read = read_all(pairs)
        except BaseException:
            self._to_seek |= set(self._readings)  # nobody has got what these records say
            raise
        mine = {id(reading) for reading in self._readings.values()}
        return [batch for reading, batch in read if batch is not None and id(reading) in mine]

    def _of_the_same_topic(self, found: Records) -> list[tuple[Reading, Sequence[ConsumerRecord]]]:
        pairs = []
        for partition, records in found.items():
            reading = self._readings.get(partition)
            if reading is None or not records:
                continue
            if same_topic(reading, records[0]):
                pairs.append((reading, records))
            else:
                self._read_from_start(partition, reading)
        self._look_for_other_topics()
        return pairs

    def _look_for_other_topics(self) -> None:
        """Wiped: it ends before the stored offset, or is said to hold what has not come by."""
        for partition, reading in self._readings.items():
            end = self._consumer.highwater(partition) if reading.verify else None
            short = end is not None and end <= (reading.next_offset or 0)
            if reading.missed or (short and partition not in self._to_seek):
                self._read_from_start(partition, reading)

    def _read_from_start(self, partition: TopicPartition, reading: Reading) -> None:
        _log.warning("topic_wiped", topic=partition.topic, partition=partition.partition)
        begin_again(reading)
        self._consumer.seek(partition, 0)

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        """Kept, and told to Kafka once a second at most: nothing depends on it."""
        for lane, position in lanes.items():
            partition = self._partition(lane)
            if partition in self._readings:
                self._readings[partition].position = position
                if position.offset is not None:
                    self._offsets.keep(partition, position.offset)

    async def rewind(self, lane: Lane) -> None:
        """The next poll seeks the lane to its stored position."""
        partition = self._partition(lane)
        if partition in self._readings:
            self._to_seek.add(partition)

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        return await self._marks.take() if self._session is not None else {}

    def lag(self) -> Mapping[Lane, int]:
        if self._session is None:
            return {}
        ends = {p: self._consumer.highwater(p) for p in self._readings}
        return {
            reading.lane: max((ends[partition] or 0) - (reading.next_offset or 0), 0)
            for partition, reading in self._readings.items()
        }

    def owned(self) -> frozenset[Lane]:
        return frozenset(reading.lane for reading in self._readings.values())

    async def stop(self) -> None:
        """Leave the group. Repeating it changes nothing."""
        if self._session is None:
            return
        await self._offsets.tell_last(self._consumer)
        session, self._session = self._session, None
        self._forget_lanes()
        await session.close()
