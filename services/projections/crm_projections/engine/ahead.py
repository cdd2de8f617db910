"""A feed that reads on while what it gave is applied: Python works while the database does."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress

from crm_events.feed.port import Feed, Lane, LaneBatch, LanePosition
from crm_events.store.port import Mark


class ReadAhead:
    """The Feed port over another feed, which is never asked two things at once.

    Where a poll brings as much as was asked for there is more, and the next one is under way
    before anybody asks for it. It moves no position, so what it brought may be dropped at any time.
    """

    def __init__(self, inner: Feed) -> None:
        self._inner = inner
        self._reading: asyncio.Task[Sequence[LaneBatch]] | None = None
        self._read: Sequence[LaneBatch] = ()

    async def start(self) -> None:
        await self._inner.start()

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        batches = await self._taken() or await self._inner.poll(max_events, timeout)
        if sum(len(batch.envelopes) for batch in batches) >= max_events:
            self._reading = asyncio.create_task(self._next(max_events))
        return batches

    async def _next(self, max_events: int) -> Sequence[LaneBatch]:
        return await self._inner.poll(max_events, 0.0)

    async def _taken(self) -> Sequence[LaneBatch]:
        await self._settle()
        read, self._read = self._read, ()
        owned = self._inner.owned()
        return [batch for batch in read if batch.lane in owned]

    async def _settle(self) -> None:
        """Raises what reading ahead raised."""
        reading, self._reading = self._reading, None
        if reading is not None:
            self._read = await reading

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        await self._settle()
        await self._inner.commit(lanes)

    async def rewind(self, lane: Lane) -> None:
        """What was read ahead of the lane comes again."""
        await self._settle()
        self._read = [batch for batch in self._read if batch.lane != lane]
        await self._inner.rewind(lane)

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        await self._settle()
        return await self._inner.marks()

    def lag(self) -> Mapping[Lane, int]:
        """What was read and given to nobody lies ahead too."""
        waiting = {batch.lane: len(batch.envelopes) for batch in self._read}
        ahead = self._inner.lag()
        return {lane: records + waiting.get(lane, 0) for lane, records in ahead.items()}

    def owned(self) -> frozenset[Lane]:
        return self._inner.owned()

    async def stop(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            with suppress(asyncio.CancelledError, Exception):
                await self._reading
        self._reading, self._read = None, ()
        await self._inner.stop()
