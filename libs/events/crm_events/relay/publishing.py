"""One leadership: page after page of the log, with watermarks and marks, until something fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from crm_events.aside import Aside
from crm_events.crashing import crash_point
from crm_events.envelope import Envelope
from crm_events.relay.publisher import NO_RECORDS, Lanes, Linked, Publisher, records_of
from crm_events.relay.threads import Threads
from crm_events.store.port import EventRecorder, Mark, RelayState

_PAGE: Final = 2_000
_IDLE: Final = 0.002
_SLOWER: Final = 1.25
_IDLEST: Final = 0.05
"""Pauses between looks at a log that rests, in seconds. They grow by a quarter, so that what comes
some time after the last event is seen after a quarter of that time more, at most."""
_WATERMARK_EVERY: Final = 0.1
_MARK_EVERY: Final = 1.0
_MARKS: Final = 1_000


class SteppedDown(Exception):
    """Another relay leads now; what this one read may have been published already."""


@dataclass(frozen=True, slots=True)
class _Portion:
    """A page of the log as records, and the state once they are published. `full`: more lies
    behind it."""

    records: Lanes
    after: RelayState
    full: bool


def _portion(recorder: EventRecorder, state: RelayState) -> _Portion:
    page = recorder.read_log(state.position, _PAGE)
    linked, last = link(page.envelopes, dict(state.last_in_partition))
    after = RelayState(page.safe_to, state.epoch, last)
    return _Portion(records_of(linked), after, len(linked) == _PAGE)


class Publishing:
    """The position moves by compare-and-set, after what lies below it is on the topic."""

    def __init__(
        self,
        recorder: EventRecorder,
        publisher: Publisher,
        state: RelayState,
        last_mark: Mark | None,
        threads: Threads,
    ) -> None:
        self.state = state
        self._recorder = recorder
        self._publisher = publisher
        self._last_mark = None if last_mark is None else last_mark.at
        self._threads = threads
        self._marking = Aside()
        self._told = -1
        self._told_at = 0.0
        self._marked_at = 0.0
        self._ahead: asyncio.Future[_Portion] | None = None

    async def run(self, moved: Callable[[int], None]) -> None:
        """`moved` hears of every position reached. Raises PublishFailed, TopicWiped, SteppedDown
        and StoreUnavailable; never returns."""
        idle = _IDLE
        while True:
            portion = await self._next()
            if portion.after.position > self.state.position:
                await self._publish(portion)
                moved(self.state.position)
                idle = _IDLE
            else:
                await asyncio.sleep(idle)
                idle = min(idle * _SLOWER, _IDLEST)
                if self._watermark_is_due(self.state):
                    await self._watermark(self.state)
            self._mark_sometimes()

    async def _next(self) -> _Portion:
        """What follows the position. While there is more than a page, the next one is read and
        made into records beside the publishing of this one."""
        reading = self._ahead or self._reading(self.state)
        portion = await reading
        self._ahead = self._reading(portion.after) if portion.full else None
        return portion

    def _reading(self, state: RelayState) -> asyncio.Future[_Portion]:
        return asyncio.ensure_future(self._threads.in_turn(_portion, self._recorder, state))

    async def leave(self) -> None:
        """Nobody waits any more for what is being read ahead, or for a mark."""
        await self._marking.leave()
        if self._ahead is not None:
            self._ahead.cancel()
            await asyncio.gather(self._ahead, return_exceptions=True)

    async def _publish(self, portion: _Portion) -> None:
        if portion.records:
            if self._watermark_is_due(portion.after):
                await self._watermark(portion.after, portion.records)
            else:
                await self._publisher.publish(portion.records)
            crash_point("published")
        if not await self._threads.in_turn(self._recorder.advance_relay, self.state, portion.after):
            raise SteppedDown
        self.state = portion.after

    def _watermark_is_due(self, state: RelayState) -> bool:
        now = asyncio.get_running_loop().time()
        return self._told < state.position and now - self._told_at >= _WATERMARK_EVERY

    async def _watermark(self, state: RelayState, behind: Lanes = NO_RECORDS) -> None:
        """With the records that it is true after, where there are any: consumers take both at once,
        and the next event waits for one answer of Kafka less."""
        self._told, self._told_at = state.position, asyncio.get_running_loop().time()
        await self._publisher.watermark(state.position, state.last_in_partition, behind)

    def _mark_sometimes(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._marking.free() and now - self._marked_at >= _MARK_EVERY:
            self._marked_at = now
            self._marking.begin(self._mark())

    async def _mark(self) -> None:
        await self._threads.beside(self._recorder.write_mark)
        marks = await self._threads.beside(self._recorder.marks, self._last_mark, _MARKS)
        if marks:
            await self._publisher.marks(marks)
            self._last_mark = marks[-1].at
        if len(marks) == _MARKS:
            self._marked_at = 0.0  # there are more: a topic is being filled again


def link(
    envelopes: Sequence[Envelope], last: dict[int, int]
) -> tuple[list[Linked], dict[int, int]]:
    """Each event with the sequence of the one before it in its partition."""
    linked: list[Linked] = []
    for envelope in envelopes:
        linked.append((envelope, last.get(envelope.partition, 0)))
        last[envelope.partition] = envelope.sequence
    return linked, last
