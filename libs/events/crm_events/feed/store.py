"""The feed read from the stores' own logs: no broker, the same order and the same positions."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from crm_events.envelope import Envelope
from crm_events.feed.port import Lane, LaneBatch, LanePosition, Positions
from crm_events.partitions import PARTITIONS
from crm_events.store.port import EventRecorder, LogPage, Mark

_QUICKEST: Final = 0.005
_SLOWEST: Final = 0.1


def lanes_of(contexts: Sequence[str]) -> list[Lane]:
    """Every lane of these contexts."""
    return [Lane(context, partition) for context in contexts for partition in range(PARTITIONS)]


@dataclass(slots=True)
class _Cursor:
    """How far one context's log has been read, and the last sequence seen in each partition."""

    read_to: int = 0
    last: dict[int, int] = field(default_factory=dict)
    marked: datetime | None = None


class StoreFeed:
    """Follows the logs of several contexts in one process.

    It owns every lane. New events are found by polling, quickly while there are some and up to
    100 ms apart when idle.
    """

    def __init__(self, recorders: Mapping[str, EventRecorder], positions: Positions) -> None:
        self._recorders = dict(recorders)
        self._positions = positions
        self._cursors: dict[str, _Cursor] = {}

    async def start(self) -> None:
        for context in self._recorders:
            await self._load(context)

    async def _load(self, context: str) -> None:
        lanes = lanes_of([context])
        stored = await asyncio.to_thread(self._positions.load, lanes)
        read_to = min(stored.get(lane, LanePosition()).complete_to for lane in lanes)
        recorder = self._recorders[context]
        last = dict(await asyncio.to_thread(recorder.last_in_partitions, read_to))
        marked = self._cursors[context].marked if context in self._cursors else None
        self._cursors[context] = _Cursor(read_to, last, marked)

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        deadline = asyncio.get_running_loop().time() + timeout
        pause = _QUICKEST
        while True:
            batches = await asyncio.to_thread(self._read_all, max_events)
            remaining = deadline - asyncio.get_running_loop().time()
            if batches or remaining <= 0:
                return batches
            await asyncio.sleep(min(pause, remaining))
            pause = min(pause * 2, _SLOWEST)

    def _read_all(self, max_events: int) -> list[LaneBatch]:
        return [
            batch for context in self._recorders for batch in self._read(context, max_events)
        ]

    def _read(self, context: str, max_events: int) -> list[LaneBatch]:
        cursor = self._cursors[context]
        page = self._recorders[context].read_log(cursor.read_to, max_events)
        if page.safe_to <= cursor.read_to:
            return []
        batches = _lane_batches(context, page, cursor.last)
        cursor.read_to = page.safe_to
        return batches

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        """Nobody watches the lag of a store's log from outside."""

    async def rewind(self, lane: Lane) -> None:
        await self._load(lane.context)

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        return await asyncio.to_thread(self._new_marks)

    def _new_marks(self) -> Mapping[str, Sequence[Mark]]:
        found: dict[str, Sequence[Mark]] = {}
        for context, recorder in self._recorders.items():
            cursor = self._cursors[context]
            marks = recorder.marks(cursor.marked, 10_000)
            if marks:
                cursor.marked = marks[-1].at
                found[context] = marks
        return found

    def lag(self) -> Mapping[Lane, int]:
        ahead = {
            context: recorder.safe_position() - self._cursors[context].read_to
            for context, recorder in self._recorders.items()
        }
        return {lane: ahead[lane.context] for lane in lanes_of(list(self._recorders))}

    def owned(self) -> frozenset[Lane]:
        return frozenset(lanes_of(list(self._recorders)))

    async def stop(self) -> None:
        """The recorders belong to whoever made them."""


def _lane_batches(context: str, page: LogPage, last: dict[int, int]) -> list[LaneBatch]:
    by_partition: dict[int, list[Envelope]] = defaultdict(list)
    for envelope in page.envelopes:
        previous = last.get(envelope.partition, 0)
        by_partition[envelope.partition].append(replace(envelope, prevsequence=previous))
        last[envelope.partition] = envelope.sequence
    return [
        LaneBatch(Lane(context, partition), by_partition.get(partition, ()), None, page.safe_to)
        for partition in range(PARTITIONS)
    ]
