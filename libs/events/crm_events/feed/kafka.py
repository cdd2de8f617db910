"""The feed over Kafka: consumer groups share lanes, and SQL positions decide where each is read.

aiokafka rebalances eagerly and swallows exceptions from its callbacks. So a lane that is assigned is
not ready until it has been sought to the stored position, and only ready lanes are answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, NoOffsetForPartitionError, OffsetOutOfRangeError
from aiokafka.structs import ConsumerRecord

from crm_events.catalogue import events_topic, marks_topic
from crm_events.envelope import WATERMARK, Envelope, MalformedEnvelope, from_headers
from crm_events.feed.port import Lane, LaneBatch, LanePosition, Positions, Unreadable
from crm_events.store.port import Mark

_log = structlog.get_logger("crm.feed")
_WATERMARK: Final = WATERMARK.encode()
_FETCH_BYTES: Final = 4 * 1024 * 1024
_SESSION_MS: Final = 10_000
_REBALANCE_MS: Final = 30_000
_REQUEST_MS: Final = 10_000


@dataclass(frozen=True, slots=True)
class KafkaFeedSettings:
    """`group` is a permanent identity; `instance` makes a replica's membership static."""

    bootstrap: str
    namespace: str
    contexts: tuple[str, ...]
    group: str
    instance: str | None = None


@dataclass(slots=True)
class _LaneState:
    position: LanePosition
    verify: bool
    """The next record is the last one taken, read again to see that the topic still holds it."""
    complete_to: int = 0
    unreadable: list[Unreadable] = field(default_factory=list)


class KafkaFeed(ConsumerRebalanceListener):  # type: ignore[misc]
    """The Feed port over one aiokafka consumer, and one more for the marks."""

    def __init__(self, settings: KafkaFeedSettings, positions: Positions) -> None:
        self._settings = settings
        self._positions = positions
        self._lanes: dict[TopicPartition, _LaneState] = {}
        self._failed: Exception | None = None
        self._contexts = {events_topic(settings.namespace, c): c for c in settings.contexts}
        self._marks_contexts = {marks_topic(settings.namespace, c): c for c in settings.contexts}
        self._marked: dict[str, datetime] = {}
        self._consumer = self._new_consumer(f"{settings.namespace}.{settings.group}")
        self._marks_consumer = self._new_consumer(None)

    def _new_consumer(self, group: str | None) -> AIOKafkaConsumer:
        return AIOKafkaConsumer(
            bootstrap_servers=self._settings.bootstrap,
            group_id=group,
            group_instance_id=self._settings.instance if group else None,
            enable_auto_commit=False,
            auto_offset_reset="earliest" if group is None else "none",
            isolation_level="read_committed",
            session_timeout_ms=_SESSION_MS,
            heartbeat_interval_ms=_SESSION_MS // 4,
            rebalance_timeout_ms=_REBALANCE_MS,
            request_timeout_ms=_REQUEST_MS,
            max_partition_fetch_bytes=_FETCH_BYTES,
            metadata_max_age_ms=30_000,
        )

    # --- rebalancing ---

    async def on_partitions_revoked(self, revoked: Sequence[TopicPartition]) -> None:
        """What is in flight is abandoned; the compare-and-set refuses it if it comes too late."""
        self._lanes.clear()

    async def on_partitions_assigned(self, assigned: Sequence[TopicPartition]) -> None:
        try:
            await self._seek([self._lane(partition) for partition in assigned])
        except Exception as error:
            self._failed = error

    async def _seek(self, lanes: Sequence[Lane]) -> None:
        stored = await asyncio.to_thread(self._positions.load, lanes)
        for lane in lanes:
            position = stored.get(lane, LanePosition())
            partition = self._partition(lane)
            offset = position.offset or 0
            self._consumer.seek(partition, max(offset - 1, 0))
            self._lanes[partition] = _LaneState(position, offset > 0, position.complete_to)

    def _lane(self, partition: TopicPartition) -> Lane:
        return Lane(self._contexts[partition.topic], partition.partition)

    def _partition(self, lane: Lane) -> TopicPartition:
        return TopicPartition(events_topic(self._settings.namespace, lane.context), lane.partition)

    # --- the port ---

    async def start(self) -> None:
        self._consumer.subscribe(list(self._contexts), listener=self)
        await self._consumer.start()
        await self._marks_consumer.start()
        self._marks_consumer.assign([TopicPartition(topic, 0) for topic in self._marks_contexts])

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        if self._failed is not None:
            failed, self._failed = self._failed, None
            await self._seek([self._lane(p) for p in self._consumer.assignment()])
            _log.warning("lanes_sought_again", reason=f"{type(failed).__name__}: {failed}")
        try:
            found = await self._consumer.getmany(
                timeout_ms=int(timeout * 1000), max_records=max_events
            )
        except OffsetOutOfRangeError as error:
            self._read_from_start([p for p in error.args[0] if p in self._lanes])
            return []
        except NoOffsetForPartitionError:
            # A group without committed offsets was looked at before on_partitions_assigned sought
            # the SQL position; by now, or at the next poll, there is one.
            return []
        batches = [self._batch(partition, records) for partition, records in found.items()]
        return [batch for batch in batches if batch is not None]

    def _read_from_start(self, partitions: Sequence[TopicPartition]) -> None:
        """The topic ends before the stored offset: it was wiped, and is filled again from 0."""
        for partition in partitions:
            _log.warning("topic_wiped", lane=str(self._lane(partition)))
            self._lanes[partition].verify = False
            self._consumer.seek(partition, 0)

    def _batch(
        self, partition: TopicPartition, records: Sequence[ConsumerRecord]
    ) -> LaneBatch | None:
        state = self._lanes.get(partition)
        if state is None or not records:
            return None
        if state.verify:
            if not _same(records[0], state.position):
                self._read_from_start([partition])
                return None
            state.verify, records = False, records[1:]
        if not records:
            return None
        read = [(r.offset, self._read(partition, r, state)) for r in records]
        unreadable, state.unreadable = state.unreadable, []
        return LaneBatch(
            self._lane(partition),
            [envelope for _, envelope in read if envelope is not None],
            records[-1].offset + 1,
            state.complete_to,
            unreadable,
            [offset for offset, envelope in read if envelope is not None],
        )

    def _read(
        self, partition: TopicPartition, record: ConsumerRecord, state: _LaneState
    ) -> Envelope | None:
        watermark = _watermark(record)
        if watermark is not None:
            state.complete_to = max(state.complete_to, watermark)
            return None
        try:
            return from_headers(record.headers, partition.partition, _value(record))
        except MalformedEnvelope as error:
            lane = self._lane(partition)
            state.unreadable.append(
                Unreadable(
                    lane, record.offset, record.key, record.headers, record.value, str(error)
                )
            )
            return None

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        for lane, position in lanes.items():
            if (state := self._lanes.get(self._partition(lane))) is not None:
                state.position = position
        offsets = {
            self._partition(lane): position.offset
            for lane, position in lanes.items()
            if position.offset is not None and self._partition(lane) in self._lanes
        }
        try:
            if offsets:
                await self._consumer.commit(offsets)
        except KafkaError as error:
            _log.info("offset_commit_failed", reason=type(error).__name__)

    async def rewind(self, lane: Lane) -> None:
        if self._partition(lane) in self._lanes:
            await self._seek([lane])

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        found: dict[str, list[Mark]] = {}
        batches = await self._marks_consumer.getmany(timeout_ms=0)
        for partition, records in batches.items():
            context = self._marks_contexts[partition.topic]
            found.setdefault(context, []).extend(self._rising(context, records))
        return found

    def _rising(self, context: str, records: Sequence[ConsumerRecord]) -> list[Mark]:
        """A restarted relay may publish marks again; only later ones are new."""
        rising: list[Mark] = []
        for record in records:
            raw = orjson.loads(record.value)
            mark = Mark(datetime.fromisoformat(raw["at"]), raw["sequence"])
            if context not in self._marked or mark.at > self._marked[context]:
                self._marked[context] = mark.at
                rising.append(mark)
        return rising

    def lag(self) -> Mapping[Lane, int]:
        ahead: dict[Lane, int] = {}
        for partition, state in self._lanes.items():
            end = self._consumer.highwater(partition)
            if end is not None:
                ahead[self._lane(partition)] = max(end - (state.position.offset or 0), 0)
        return ahead

    def owned(self) -> frozenset[Lane]:
        return frozenset(self._lane(partition) for partition in self._lanes)

    async def stop(self) -> None:
        await self._consumer.stop()
        await self._marks_consumer.stop()


def _value(record: ConsumerRecord) -> bytes:
    if record.value is None:
        raise MalformedEnvelope("the record has no value")
    value: bytes = record.value
    return value


def _header(record: ConsumerRecord, name: str) -> bytes | None:
    return next((value for key, value in record.headers if key == name), None)


def _watermark(record: ConsumerRecord) -> int | None:
    if _header(record, "ce_type") != _WATERMARK:
        return None
    sequence = _header(record, "ce_sequence")
    return int(sequence) if sequence and sequence.isdigit() else None


def _same(record: ConsumerRecord, position: LanePosition) -> bool:
    """Whether the record before the stored offset is what was taken there."""
    if record.offset != (position.offset or 0) - 1:
        return False
    watermark = _watermark(record)
    if watermark is not None:
        return position.sequence <= watermark <= position.complete_to
    if position.event_id is None:
        return True
    return _header(record, "ce_id") == str(position.event_id).encode()
