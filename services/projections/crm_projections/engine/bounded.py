"""A feed that ends where it is told: each lane up to a sequence, however far the log goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from crm_events.feed.port import Feed, Lane, LaneBatch, LanePosition
from crm_events.feed.store import lanes_of
from crm_events.store.port import Mark

Bounds = Mapping[Lane, int]


def lane_bounds(contexts: Mapping[str, int]) -> dict[Lane, int]:
    """Every lane of a context up to the context's sequence."""
    return {lane: contexts[lane.context] for lane in lanes_of(list(contexts))}


class BoundedFeed:
    """The Feed port over another feed. A lane without a bound is read to its end."""

    def __init__(self, inner: Feed, bounds: Bounds) -> None:
        self._inner = inner
        self._bounds = bounds
        self._ended: set[Lane] = set()

    async def extend(self, bounds: Bounds) -> None:
        """Go on to bounds that are no lower: what was held back is read again."""
        self._bounds = bounds
        for lane in sorted(self._ended):
            await self.rewind(lane)

    async def start(self) -> None:
        await self._inner.start()

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        batches = await self._inner.poll(max_events, timeout)
        return [self._cut(batch) for batch in batches if batch.lane not in self._ended]

    def _cut(self, batch: LaneBatch) -> LaneBatch:
        bound = self._bounds.get(batch.lane)
        if bound is None:
            return batch
        kept = [envelope for envelope in batch.envelopes if envelope.sequence <= bound]
        complete_to = min(batch.complete_to, bound)
        if len(kept) == len(batch.envelopes):
            return replace(batch, complete_to=complete_to)
        self._ended.add(batch.lane)
        next_offset = batch.offsets[len(kept)] if batch.offsets else batch.next_offset
        unreadable = [u for u in batch.unreadable if _before(u.offset, next_offset)]
        return LaneBatch(
            batch.lane,
            kept,
            next_offset,
            complete_to,
            unreadable,
            batch.offsets[: len(kept)],
        )

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        await self._inner.commit(lanes)

    async def rewind(self, lane: Lane) -> None:
        self._ended.discard(lane)
        await self._inner.rewind(lane)

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        return await self._inner.marks()

    def lag(self) -> Mapping[Lane, int]:
        return self._inner.lag()

    def owned(self) -> frozenset[Lane]:
        return self._inner.owned()

    async def stop(self) -> None:
        await self._inner.stop()


def _before(offset: int | None, end: int | None) -> bool:
    return offset is None or end is None or offset < end
