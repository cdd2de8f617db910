"""Offsets told to Kafka so that lag tools see them; no reader depends on them."""

from __future__ import annotations

import asyncio
from typing import Any, Final

import structlog
from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from crm_events.aside import Aside

_log = structlog.get_logger("crm.feed")
_EVERY: Final = 1.0
_SECONDS: Final = 2.0


class KafkaOffsets:
    """The offsets to be told next, once a second at most."""

    def __init__(self) -> None:
        self._kept: dict[TopicPartition, int] = {}
        self._told_at = 0.0
        self._telling = Aside()

    def keep(self, partition: TopicPartition, offset: int) -> None:
        self._kept[partition] = offset

    def forget(self) -> None:
        self._kept = {}

    def tell_sometimes(self, consumer: Any, now: float) -> None:
        """Tell what is kept when the last time is long enough ago; who asks has better to do than
        to wait for it."""
        if now - self._told_at >= _EVERY and self._telling.free():
            self._told_at = now
            self._telling.begin(self.tell(consumer))

    async def tell_last(self, consumer: Any) -> None:
        """Tell what is kept, before the consumer leaves its group."""
        await self._telling.leave()
        await self.tell(consumer)

    async def tell(self, consumer: Any) -> None:
        """Tell what is kept of the partitions that are ours still; a failure is only noted."""
        mine = consumer.assignment()
        offsets = {p: offset for p, offset in self._kept.items() if p in mine}
        self.forget()
        if not offsets:
            return
        try:
            async with asyncio.timeout(_SECONDS):
                await consumer.commit(offsets)
        except (KafkaError, TimeoutError) as error:
            _log.info("offset_commit_failed", reason=type(error).__name__)
