"""An idempotent producer that is thrown away after any failure; what it may repeat is harmless."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from crm_events.catalogue import events_topic, marks_topic
from crm_events.envelope import WATERMARK, Envelope, Headers, to_headers
from crm_events.partitions import PARTITIONS
from crm_events.store.port import Mark

_BATCH_BYTES: Final = 512 * 1024
_REQUEST_BYTES: Final = 2 * 1024 * 1024
_REQUEST_MS: Final = 10_000

Record = tuple[bytes | None, bytes, Headers]


class PublishFailed(Exception):
    """Something was not acknowledged in time; it may or may not be on the topic."""


def watermark_headers(context: str, sequence: int) -> Headers:
    """The control record that says: everything up to `sequence` has been published."""
    return [
        ("ce_type", WATERMARK.encode()),
        ("ce_source", f"/crm/{context}".encode()),
        ("ce_sequence", str(sequence).encode()),
    ]


class Publisher:
    """Publishes one context's records. `deadline` is in seconds for a whole call."""

    def __init__(
        self, bootstrap: str, namespace: str, context: str, deadline: float = 15.0
    ) -> None:
        self._context = context
        self._events = events_topic(namespace, context)
        self._marks = marks_topic(namespace, context)
        self._deadline = deadline
        self._producer = AIOKafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=0,
            max_batch_size=_BATCH_BYTES,
            max_request_size=_REQUEST_BYTES,
            request_timeout_ms=_REQUEST_MS,
        )

    async def start(self) -> None:
        """Connect. Raises PublishFailed when no broker answers."""
        try:
            async with asyncio.timeout(self._deadline):
                await self._producer.start()
        except Exception as error:
            await self.drop()
            raise PublishFailed(f"{type(error).__name__}: {error}") from error

    async def publish(self, envelopes: Sequence[Envelope]) -> None:
        """All of these are on the topic when this returns. Raises PublishFailed."""
        lanes: dict[int, list[Record]] = defaultdict(list)
        for envelope in envelopes:
            key = str(envelope.aggregate_id).encode()
            lanes[envelope.partition].append((key, envelope.data, to_headers(envelope)))
        await self._send(self._events, lanes)

    async def watermark(self, sequence: int) -> None:
        """Tell every partition that all up to `sequence` has been published."""
        record: Record = (None, b"{}", watermark_headers(self._context, sequence))
        await self._send(self._events, {number: [record] for number in range(PARTITIONS)})

    async def marks(self, marks: Sequence[Mark]) -> None:
        """Publish marks: the time, and the sequence up to which the log was complete then."""
        records: list[Record] = [
            (None, f'{{"at":"{mark.at.isoformat()}","sequence":{mark.safe_to}}}'.encode(), [])
            for mark in marks
        ]
        await self._send(self._marks, {0: records})


    async def _send(self, topic: str, lanes: dict[int, list[Record]]) -> None:
        try:
            async with asyncio.timeout(self._deadline):
                futures = await asyncio.gather(
                    *(self._send_lane(topic, lane, records) for lane, records in lanes.items())
                )
                await asyncio.gather(*(future for lane in futures for future in lane))
        except Exception as error:
            raise PublishFailed(f"{type(error).__name__}: {error}") from error

    async def _send_lane(
        self, topic: str, partition: int, records: Sequence[Record]
    ) -> list[asyncio.Future[object]]:
        futures: list[asyncio.Future[object]] = []
        batch = self._producer.create_batch()
        for record in records:
            if not _appended(batch, record):
                futures.append(await self._producer.send_batch(batch, topic, partition=partition))
                batch = self._producer.create_batch()
                _appended(batch, record)
        batch.close()
        futures.append(await self._producer.send_batch(batch, topic, partition=partition))
        return futures

    async def drop(self) -> None:
        """Close without waiting for what is unacknowledged."""
        sender = asyncio.ensure_future(self._producer.stop())
        done, _ = await asyncio.wait({sender}, timeout=1.0)
        if not done:
            sender.cancel()


def _appended(batch: BatchBuilder, record: Record) -> bool:
    key, value, headers = record
    return batch.append(timestamp=None, key=key, value=value, headers=headers) is not None
