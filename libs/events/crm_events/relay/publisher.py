"""An idempotent producer that is thrown away after any failure; what it may repeat is harmless."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from crm_events.catalogue import events_topic, marks_topic
from crm_events.envelope import WATERMARK, Envelope, Headers, to_headers
from crm_events.partitions import PARTITIONS
from crm_events.relay.producer import Batch, IdempotentProducer, Producer
from crm_events.store.port import Mark

Record = tuple[bytes | None, bytes, Headers]
Linked = tuple[Envelope, int]
"""An event, and the sequence of the one before it in its partition."""


Lanes = Mapping[int, Sequence[Record]]
"""Records in order, for each partition."""
NO_RECORDS: Final[Lanes] = {}


def records_of(events: Sequence[Linked]) -> Lanes:
    lanes: dict[int, list[Record]] = defaultdict(list)
    for envelope, before in events:
        key = str(envelope.aggregate_id).encode()
        lanes[envelope.partition].append((key, envelope.data, to_headers(envelope, before)))
    return lanes


class PublishFailed(Exception):
    """Something was not acknowledged in time; it may or may not be on the topic."""


class TopicWiped(Exception):
    """A record got an offset that an earlier one had: the topic was deleted and made anew."""


def watermark_headers(context: str, sequence: int, before: int = 0) -> Headers:
    """The control record that says: everything of its partition up to `sequence` has been
    published, the last of it being event `before`."""
    return [
        ("ce_type", WATERMARK.encode()),
        ("ce_source", f"/crm/{context}".encode()),
        ("ce_sequence", b"%d" % sequence),
        ("ce_prevsequence", b"%d" % before),
    ]


class Publisher:
    """Publishes one context's records. `deadline` is in seconds for a whole call; `ends` are the
    offsets that the events topic's partitions are known to have reached, `last_mark` is the newest
    mark on its topic. A `producer` that is given stands for one of its own."""

    def __init__(
        self,
        bootstrap: str,
        namespace: str,
        context: str,
        *,
        ends: Mapping[int, int] | None = None,
        last_mark: Mark | None = None,
        deadline: float = 15.0,
        producer: Producer | None = None,
    ) -> None:
        self._context = context
        self._events = events_topic(namespace, context)
        self._marks = marks_topic(namespace, context)
        self._ends = dict(ends or {})
        self._deadline = deadline
        self._marked_to = None if last_mark is None else last_mark.safe_to
        self._producer = producer or IdempotentProducer(bootstrap)

    async def start(self) -> None:
        """Connect. Raises PublishFailed when no broker answers."""
        try:
            async with asyncio.timeout(self._deadline):
                await self._producer.start()
        except Exception as error:
            await self.drop()
            raise PublishFailed(f"{type(error).__name__}: {error}") from error

    async def publish(self, lanes: Lanes) -> None:
        """All of these are on the topic when this returns. Raises PublishFailed, TopicWiped."""
        await self._send_events(lanes)

    async def watermark(
        self, sequence: int, last: Mapping[int, int], behind: Lanes = NO_RECORDS
    ) -> None:
        """Publish what it is to come behind, and tell every partition that all up to `sequence` has
        been, and which event was the `last` in it: each hears of itself alone, and hears it after
        its own records, so nobody has to wait for those of the others. Raises as `publish` does.
        """
        told = {n: self._watermark(sequence, last.get(n, 0)) for n in range(PARTITIONS)}
        await self.publish({n: [*behind.get(n, ()), mark] for n, mark in told.items()})

    def _watermark(self, sequence: int, before: int) -> Record:
        return None, b"{}", watermark_headers(self._context, sequence, before)

    async def marks(self, marks: Sequence[Mark]) -> None:
        """Publish marks: the time, and the sequence up to which the log was complete then."""
        await self._send(self._marks, {0: [self._mark(mark) for mark in marks]})

    def _mark(self, mark: Mark) -> Record:
        """The topic is compacted: of a log that rests, the first mark and the newest are kept."""
        moved, self._marked_to = mark.safe_to != self._marked_to, mark.safe_to
        key = f"{mark.safe_to}/{'first' if moved else 'newest'}"
        value = f'{{"at":"{mark.at.isoformat()}","sequence":{mark.safe_to}}}'
        return key.encode(), value.encode(), []

    async def _send_events(self, lanes: Lanes) -> None:
        for partition, (first, end) in (await self._send(self._events, lanes)).items():
            if first < self._ends.get(partition, 0):
                raise TopicWiped(f"{self._events} was deleted while it was written")
            self._ends[partition] = end

    async def _send(self, topic: str, lanes: Lanes) -> dict[int, tuple[int, int]]:
        """First offset and end of each partition's records. Lanes are sent side by side, and the
        batches of a lane one after another: none follows one that was refused."""
        try:
            async with asyncio.timeout(self._deadline), asyncio.TaskGroup() as sending:
                tasks = {
                    lane: sending.create_task(self._send_lane(topic, lane, records))
                    for lane, records in lanes.items()
                }
        except Exception as error:
            raise PublishFailed(_causes(error)) from error
        return {lane: task.result() for lane, task in tasks.items()}

    async def _send_lane(
        self, topic: str, partition: int, records: Sequence[Record]
    ) -> tuple[int, int]:
        offsets = []
        batch = self._producer.create_batch()
        for record in records:
            if not _appended(batch, record):
                offsets.append(await self._send_batch(batch, topic, partition))
                batch = self._producer.create_batch()
                _appended(batch, record)
        offsets.append(await self._send_batch(batch, topic, partition))
        return offsets[0], offsets[-1] + batch.record_count()

    async def _send_batch(self, batch: Batch, topic: str, partition: int) -> int:
        batch.close()
        acknowledged = await self._producer.send_batch(batch, topic, partition=partition)
        base: int = (await acknowledged).offset
        return base

    async def drop(self) -> None:
        """Close without delivering what is unacknowledged."""
        await self._producer.abandon()


def _causes(error: BaseException) -> str:
    if isinstance(error, BaseExceptionGroup):
        return ", ".join(sorted({_causes(each) for each in error.exceptions}))
    return f"{type(error).__name__}: {error}"


def _appended(batch: Batch, record: Record) -> bool:
    key, value, headers = record
    return batch.append(timestamp=None, key=key, value=value, headers=headers) is not None
