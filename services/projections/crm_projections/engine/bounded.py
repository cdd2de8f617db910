"""A feed that ends where it is told: each lane up to a sequence, however far the log goes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import compress

from crm_events.feed.port import Feed, Lane, LaneBatch, LanePosition
from crm_events.feed.store import lanes_of
from crm_events.store.port import Mark

Bounds = Mapping[Lane, int]


def lane_bounds(contexts: Mapping[str, int]) -> dict[Lane, int]:
    """Every lane of a context up to the context's sequence."""
    return {lane: contexts[lane.context] for lane in lanes_of(list(contexts))}


class BoundedFeed:
    """The Feed port over another feed. A lane without a bound is read to its end.

    A lane has ended once an event beyond its bound has come that follows what was shown without a
    gap: it is complete up to the bound then, whether or not a watermark has said so.
    """

    def __init__(self, inner: Feed, bounds: Bounds, taken: Bounds | None = None) -> None:
        """`taken` are the last events of lanes that are gone on with."""
        self._inner = inner
        self._bounds = bounds
        self._last = dict(taken or {})
        self._cut_at: dict[Lane, int | None] = {}
        self._ended: set[Lane] = set()

    async def extend(self, bounds: Bounds) -> None:
        """Go on to bounds that are no lower: what was held back is read again."""
        self._bounds = bounds
        for lane in sorted(self._cut_at):
            await self.rewind(lane)

    async def start(self) -> None:
        await self._inner.start()

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        batches = await self._inner.poll(max_events, timeout)
        return [self._within(batch) for batch in batches if batch.lane not in self._ended]

    def _within(self, batch: LaneBatch) -> LaneBatch:
        bound = self._bounds.get(batch.lane)
        if bound is None:
            return batch
        follows = self._follow(batch, bound)
        complete_to = min(batch.complete_to, bound)
        if all(envelope.sequence <= bound for envelope in batch.envelopes):
            return replace(batch, complete_to=complete_to)
        if follows:
            self._ended.add(batch.lane)
            complete_to = bound
        return self._cut(batch, bound, complete_to)

    def _follow(self, batch: LaneBatch, bound: int) -> bool:
        """Whether the batch goes beyond the bound with no gap before it."""
        last = self._last.get(batch.lane, 0)
        for envelope in batch.envelopes:
            if envelope.prevsequence <= last:
                last = max(last, envelope.sequence)
        self._last[batch.lane] = min(last, bound)
        return last > bound

    def _cut(self, batch: LaneBatch, bound: int, complete_to: int) -> LaneBatch:
        """Without what lies beyond the bound: the first of that is where to read on."""
        within = [envelope.sequence <= bound for envelope in batch.envelopes]
        first = batch.offsets[within.index(False)] if batch.offsets else batch.next_offset
        next_offset = self._cut_at.setdefault(batch.lane, first)
        return LaneBatch(
            batch.lane,
            list(compress(batch.envelopes, within)),
            next_offset,
            complete_to,
            [u for u in batch.unreadable if _before(u.offset, next_offset)],
            list(compress(batch.offsets, within)),
        )

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        await self._inner.commit(lanes)

    async def rewind(self, lane: Lane) -> None:
        self._ended.discard(lane)
        self._cut_at.pop(lane, None)
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
