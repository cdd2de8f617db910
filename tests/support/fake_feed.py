"""A log in memory and a feed over it that can misdeliver in every way the port allows."""

from __future__ import annotations

import asyncio
from collections import defaultdict, deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from crm_events.catalogue import context_of
from crm_events.codec import Codec, Slot
from crm_events.envelope import Envelope
from crm_events.event import Event
from crm_events.feed.port import Lane, LaneBatch, LanePosition, Positions
from crm_events.partitions import PARTITIONS, partition_of
from crm_events.store.port import Mark

from tests.support.envelopes import told

_BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
_IDS = UUID("6ba7b812-9dad-11d1-80b4-00c04fd430c8")
_PAUSE = 0.002


class FakeLog:
    """What a store would hold: one sequence per context, twelve partitions."""

    def __init__(self, codec: Codec) -> None:
        self.lanes: dict[Lane, list[Envelope]] = defaultdict(list)
        self.heads: dict[str, int] = defaultdict(int)
        self.marks: dict[str, list[Mark]] = defaultdict(list)
        self._codec = codec
        self._versions: dict[UUID, int] = defaultdict(int)

    def append(self, aggregate_id: UUID, *events: Event) -> list[Envelope]:
        return [self._append(aggregate_id, event) for event in events]

    def _append(self, aggregate_id: UUID, event: Event) -> Envelope:
        version = self._versions[aggregate_id] + 1
        data = self._codec.encode(event, Slot(event.TYPE, aggregate_id, version))
        return self.append_raw(aggregate_id, event.TYPE, data)

    def append_raw(self, aggregate_id: UUID, type: str, data: bytes) -> Envelope:
        """Any bytes under any type, as a newer or a broken producer would write them."""
        context = context_of(type)
        self._versions[aggregate_id] += 1
        self.heads[context] += 1
        sequence = self.heads[context]
        lane = Lane(context, partition_of(aggregate_id))
        before = self.lanes[lane][-1].sequence if self.lanes[lane] else 0
        envelope = told(
            type,
            aggregate_id,
            self._versions[aggregate_id],
            sequence,
            _BEGIN + timedelta(seconds=sequence),
            id=uuid5(_IDS, f"{context}/{sequence}"),
            data=data,
            prevsequence=before,
        )
        self.lanes[lane].append(envelope)
        return envelope

    def mark(self, context: str, at: datetime) -> None:
        self.marks[context].append(Mark(at, self.heads[context]))

    def envelopes(self, context: str) -> list[Envelope]:
        """The whole log of a context, in order."""
        found = [e for lane, own in self.lanes.items() if lane.context == context for e in own]
        return sorted(found, key=lambda envelope: envelope.sequence)


class FakeFeed:
    """The Feed port over a FakeLog.

    With `offsets` it counts records per lane as Kafka does. What is put into `deliveries` comes
    before what the cursor would read; `distort` may change every batch that is answered.
    """

    def __init__(
        self,
        log: FakeLog,
        positions: Positions,
        contexts: Sequence[str] = ("contacts",),
        *,
        offsets: bool = False,
    ) -> None:
        self.deliveries: deque[LaneBatch] = deque()
        self.distort: Callable[[LaneBatch], LaneBatch] = lambda batch: batch
        self.commits: list[Mapping[Lane, LanePosition]] = []
        self.rewinds: list[Lane] = []
        self.lost_lanes: set[Lane] = set()
        self._log = log
        self._positions = positions
        self._offsets = offsets
        self._lanes = [Lane(c, number) for c in contexts for number in range(PARTITIONS)]
        self._read: dict[Lane, int] = {}
        self._told: dict[Lane, int] = {}
        self._marked: dict[str, int] = defaultdict(int)

    async def start(self) -> None:
        await self._load(self._lanes)

    async def _load(self, lanes: Sequence[Lane]) -> None:
        stored = await asyncio.to_thread(self._positions.load, lanes)
        for lane in lanes:
            position = stored.get(lane, LanePosition())
            taken = sum(e.sequence <= position.sequence for e in self._log.lanes[lane])
            self._read[lane] = position.offset or 0 if self._offsets else taken
            self._told[lane] = position.complete_to

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        deadline = asyncio.get_running_loop().time() + timeout
        while True:
            batches = self._next(max_events)
            if batches or asyncio.get_running_loop().time() >= deadline:
                return batches
            await asyncio.sleep(_PAUSE)

    def _next(self, max_events: int) -> list[LaneBatch]:
        if self.deliveries:
            return [self.deliveries.popleft()]
        batches = [self.batch(lane, self._read[lane], max_events) for lane in self.owned()]
        news = [b for b in batches if b.envelopes or b.complete_to > self._told[b.lane]]
        for batch in news:
            self._read[batch.lane] += len(batch.envelopes)
            self._told[batch.lane] = batch.complete_to
        return [self.distort(batch) for batch in news]

    def batch(self, lane: Lane, start: int, count: int = 1_000_000) -> LaneBatch:
        """What the log holds of a lane from its record number `start` on."""
        whole = self._log.lanes[lane]
        envelopes = whole[start : start + count]
        end = start + len(envelopes)
        complete_to = self._log.heads[lane.context] if end == len(whole) else 0
        if envelopes and end < len(whole):
            complete_to = envelopes[-1].sequence
        offsets = list(range(start, end)) if self._offsets else []
        return LaneBatch(lane, envelopes, end if self._offsets else None, complete_to, (), offsets)

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        self.commits.append(dict(lanes))

    async def rewind(self, lane: Lane) -> None:
        self.rewinds.append(lane)
        await self._load([lane])

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        found = {}
        for context, marks in self._log.marks.items():
            if len(marks) > self._marked[context]:
                found[context] = marks[self._marked[context] :]
                self._marked[context] = len(marks)
        return found

    def lag(self) -> Mapping[Lane, int]:
        return {lane: len(self._log.lanes[lane]) - self._read[lane] for lane in self._lanes}

    def owned(self) -> frozenset[Lane]:
        return frozenset(self._lanes) - self.lost_lanes

    async def stop(self) -> None:
        """Nothing is held."""


def without(batch: LaneBatch, sequence: int) -> LaneBatch:
    """The batch with one record lost on the way."""
    kept = [i for i, e in enumerate(batch.envelopes) if e.sequence != sequence]
    return replace(
        batch,
        envelopes=[batch.envelopes[i] for i in kept],
        offsets=[batch.offsets[i] for i in kept] if batch.offsets else (),
    )
