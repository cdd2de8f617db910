"""Marks as a topic tells them: a time, and the sequence up to which the log was complete then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import datetime
from typing import Final

import orjson
import structlog
from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.structs import ConsumerRecord

from crm_events.store.port import Mark

_log = structlog.get_logger("crm.feed")
_AT_ONCE: Final = 10_000


class KafkaMarks:
    """Reads the marks of several contexts from the first one on. `contexts`: topic -> context."""

    def __init__(self, consumer: AIOKafkaConsumer, contexts: Mapping[str, str]) -> None:
        self._consumer = consumer
        self._contexts = contexts
        self._newest: dict[str, datetime] = {}

    def follow(self, there: AbstractSet[str]) -> None:
        """Read those of the topics that exist; what was read before is told apart by its time."""
        self._consumer.assign([TopicPartition(topic, 0) for topic in there & set(self._contexts)])

    async def take(self) -> Mapping[str, Sequence[Mark]]:
        """Those that have come, without waiting."""
        found: dict[str, list[Mark]] = {}
        batches = await self._consumer.getmany(timeout_ms=0, max_records=_AT_ONCE)
        for partition, records in batches.items():
            context = self._contexts[partition.topic]
            found.setdefault(context, []).extend(self._rising(context, records))
        return {context: marks for context, marks in found.items() if marks}

    def _rising(self, context: str, records: Sequence[ConsumerRecord]) -> list[Mark]:
        """A relay that starts again may publish marks again; only later ones are new."""
        rising: list[Mark] = []
        for record in records:
            mark = _mark(record)
            newest = self._newest.get(context)
            if mark is not None and (newest is None or mark.at > newest):
                self._newest[context] = mark.at
                rising.append(mark)
        return rising


def _mark(record: ConsumerRecord) -> Mark | None:
    try:
        raw = orjson.loads(record.value)
        return Mark(datetime.fromisoformat(raw["at"]), int(raw["sequence"]))
    except (ValueError, KeyError, TypeError):
        _log.error("mark_unreadable", topic=record.topic, offset=record.offset)
        return None
