"""The feed read from the stores' own logs: no broker, the same order and the same positions."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from crm_events.envelope import Envelope, link
from crm_events.feed.port import Lane, LaneBatch, LanePosition, LogReplaced, Positions
from crm_events.partitions import PARTITIONS
from crm_events.store.port import LogPage, Mark

_QUICKEST: Final = 0.005
_SLOWEST: Final = 0.1
_MARKS: Final = 10_000


def lanes_of(contexts: Sequence[str]) -> list[Lane]:
    """Every lane of these contexts."""
    return [Lane(context, partition) for context in contexts for partition in range(PARTITIONS)]


class Log(Protocol):
    """What a feed asks of a context's log: a store, or who speaks for one."""

    def read_log(self, after: int, limit: int) -> LogPage: ...
    def safe_position(self) -> int: ...
    def last_in_partitions(self, upto: int) -> Mapping[int, int]: ...
    def marks(self, after: datetime | None, limit: int) -> Sequence[Mark]: ...


@dataclass(slots=True)
class _Cursor:
    """How far one context's log has been read, the last sequence in each partition up to there,
    and how far the log is known to go."""

    read_to: int
    last: dict[int, int]
    head: int = 0


class StoreFeed:
    """Follows the logs of several contexts in one process.

    It owns every lane. New events are found by polling, quickly while there are some and up to
    100 ms apart when idle. The errors of the stores pass through: nothing is lost, poll again.
    """

    def __init__(self, recorders: Mapping[str, Log], positions: Positions) -> None:
        self._recorders = dict(recorders)
        self._positions = positions
        self._cursors: dict[str, _Cursor] = {}
        self._marked: dict[str, datetime] = {}

    async def start(self) -> None:
        for context in self._recorders:
            self._cursors[context] = await asyncio.to_thread(self._at_position, context)

    def _at_position(self, context: str) -> _Cursor:
        recorder = self._recorders[context]
        stored = self._positions.load(lanes_of([context]))
        for lane, position in stored.items():
            _check_same_log(recorder, lane, position)
        read_to = min(
            (stored[lane].complete_to if lane in stored else 0) for lane in lanes_of([context])
        )
        return _Cursor(read_to, dict(recorder.last_in_partitions(read_to)), read_to)

    async def poll(self, max_events: int, timeout: float) -> Sequence[LaneBatch]:
        deadline = asyncio.get_running_loop().time() + timeout
        pause = _QUICKEST
        while True:
            pages = await asyncio.to_thread(self._pages, max_events)
            batches = [batch for context, page in pages for batch in self._take(context, page)]
            remaining = deadline - asyncio.get_running_loop().time()
            if batches or remaining <= 0:
                return batches
            await asyncio.sleep(min(pause, remaining))
            pause = min(pause * 2, _SLOWEST)

    def _pages(self, max_events: int) -> list[tuple[str, LogPage]]:
        """Up to `max_events` altogether; moves no cursor, so that an error loses nothing."""
        pages: list[tuple[str, LogPage]] = []
        for context, cursor in self._cursors.items():
            if max_events <= 0:
                break
            recorder = self._recorders[context]
            page = recorder.read_log(cursor.read_to, max_events)
            full = len(page.envelopes) == max_events
            head = recorder.safe_position() if full else page.safe_to
            cursor.head = max(head, cursor.read_to)
            max_events -= len(page.envelopes)
            pages.append((context, page))
        return pages

    def _take(self, context: str, page: LogPage) -> list[LaneBatch]:
        cursor = self._cursors[context]
        if page.safe_to <= cursor.read_to:
            return []
        cursor.read_to = page.safe_to
        self._cursors[context] = self._cursors.pop(context)  # the next poll begins with another
        return lane_batches(context, page, cursor.last)

    async def commit(self, lanes: Mapping[Lane, LanePosition]) -> None:
        """Nobody watches the lag of a store's log from outside."""

    async def rewind(self, lane: Lane) -> None:
        """Read the lane's whole context again from the lowest of its positions."""
        self._cursors[lane.context] = await asyncio.to_thread(self._at_position, lane.context)

    async def marks(self) -> Mapping[str, Sequence[Mark]]:
        return await asyncio.to_thread(self._new_marks)

    def _new_marks(self) -> Mapping[str, Sequence[Mark]]:
        found: dict[str, Sequence[Mark]] = {}
        for context, recorder in self._recorders.items():
            marks = recorder.marks(self._marked.get(context), _MARKS)
            if marks:
                self._marked[context] = marks[-1].at
                found[context] = marks
        return found

    def lag(self) -> Mapping[Lane, int]:
        """Positions are shared by a context's lanes; its lag is spread evenly over them."""
        return {
            Lane(context, partition): -(-(cursor.head - cursor.read_to) // PARTITIONS)
            for context, cursor in self._cursors.items()
            for partition in range(PARTITIONS)
        }

    def owned(self) -> frozenset[Lane]:
        return frozenset(lanes_of(list(self._recorders)))

    async def stop(self) -> None:
        """The recorders belong to whoever made them."""


def _check_same_log(recorder: Log, lane: Lane, position: LanePosition) -> None:
    """Raises LogReplaced where the log does not hold the last event that was taken."""
    if position.sequence == 0:
        return
    page = recorder.read_log(position.sequence - 1, 1)
    found = next((e for e in page.envelopes if e.sequence == position.sequence), None)
    if found is None:  # it may be there, beyond what a reader has proven to be safe
        last = recorder.last_in_partitions(position.sequence).get(lane.partition, 0)
        replaced = last != position.sequence
    else:
        replaced = position.event_id not in {None, found.id} or found.partition != lane.partition
    if replaced:
        raise LogReplaced(
            f"The store of {lane.context} does not hold event {position.sequence} of partition "
            f"{lane.partition} as it was taken: it was restored to an earlier state."
        )


def lane_batches(context: str, page: LogPage, last: dict[int, int]) -> list[LaneBatch]:
    """What a page says of each lane. `last` holds the last sequence in each partition before the
    page, and afterwards with it."""
    by_partition: dict[int, list[Envelope]] = defaultdict(list)
    for envelope in page.envelopes:
        link(envelope, last.get(envelope.partition, 0))
        by_partition[envelope.partition].append(envelope)
        last[envelope.partition] = envelope.sequence
    return [
        LaneBatch(Lane(context, partition), by_partition.get(partition, ()), None, page.safe_to)
        for partition in range(PARTITIONS)
    ]
