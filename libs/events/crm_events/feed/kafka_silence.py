"""Lanes in which nothing comes: most rest, and one may be of a topic that is no longer the same."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final

from aiokafka import TopicPartition

from crm_events.feed.kafka_records import Reading

_SECONDS: Final = 30.0
Lanes = AbstractSet[TopicPartition]


class Silences:
    """A topic that was wiped, and filled again exactly to where a lane is, looks like one that
    rests: nothing says so until the next record. So what was taken last of a silent lane is looked
    at again after a while."""

    def __init__(self, seconds: float = _SECONDS) -> None:
        self._seconds = seconds
        self._asked_at = 0.0

    def in_doubt(self, readings: Mapping[TopicPartition, Reading], now: float) -> Lanes:
        """Those that nothing has come in since this was answered last, a while ago. What its
        consumer has not taken yet of a lane is read again when that fails."""
        if now - self._asked_at < self._seconds:
            return frozenset()
        self._asked_at = now
        silent = frozenset(lane for lane, reading in readings.items() if _rests(reading))
        for reading in readings.values():
            reading.heard = False
        return silent


def _rests(reading: Reading) -> bool:
    return not reading.heard and reading.next_offset == (reading.position.offset or 0)
