"""The loop of a projection process: poll, apply in a thread, commit, tell whoever waits."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import structlog
from crm_events.aside import Aside
from crm_events.feed.kafka import FeedUnavailable
from crm_events.feed.port import Feed, Lane, LaneBatch, LanePosition, LogReplaced, Positions
from crm_events.store.port import Mark

from crm_projections.engine.gaps import Backoff
from crm_projections.engine.intake import Workplace
from crm_projections.engine.lag import Lags
from crm_projections.engine.marks import store_marks
from crm_projections.engine.projection import Projection
from crm_projections.engine.waiting import Bell

MakeFeed = Callable[[Positions], Feed]
_MARKS_EVERY: Final = 0.25
_LAG_EVERY: Final = 1.0
_IN_TROUBLE: Final = 0.05
_LONGEST_PAUSE: Final = 5.0
_log = structlog.get_logger("crm.views")


class LowestPositions:
    """The Positions port for views that share a feed: it reads from where the last of them is."""

    def __init__(self, projections: Sequence[Projection[Any]]) -> None:
        self._projections = projections

    def load(self, lanes: Sequence[Lane]) -> Mapping[Lane, LanePosition]:
        stored = [(p.view.contexts, p.stored()) for p in self._projections if p.stopped is None]
        rows = [(contexts, states) for contexts, states in stored if states is not None]
        return {lane: _lowest(lane, rows) for lane in lanes}


def _lowest(lane: Lane, rows: Sequence[tuple[tuple[str, ...], Mapping[Lane, Any]]]) -> LanePosition:
    own = [
        states[lane].position if lane in states else LanePosition()
        for contexts, states in rows
        if lane.context in contexts
    ]
    return min(own, key=_progress, default=LanePosition())


def _progress(position: LanePosition) -> tuple[int, int, int]:
    return (position.offset or 0, position.complete_to, position.sequence)


@dataclass(frozen=True, slots=True)
class Pace:
    """How many events are taken at once, and how long an idle poll waits, in seconds."""

    batch: int = 2_000
    poll: float = 1.0


class Runner:
    """Keeps views that share one feed up to date, until cancelled. For one asyncio loop."""

    def __init__(
        self,
        projections: Sequence[Projection[Any]],
        workplace: Workplace,
        make_feed: MakeFeed,
        bell: Bell,
        pace: Pace = Pace(),
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.projections = projections
        self.lags = Lags(workplace.metrics)
        self.failing: str | None = None
        """Why the feed is not read, for readiness; None while it is."""
        self._now = now
        self._turned_at = now()
        self._work = workplace
        self._make_feed = make_feed
        self._bell = bell
        self._pace = pace
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="views")
        self._marking = Aside()
        self._marker = self._worker  # a file has one writer at a time, who would wait for another
        if workplace.database.on_server:
            self._marker = ThreadPoolExecutor(1, thread_name_prefix="marks")
        self._backoff = Backoff()
        self._next_marks = self._next_lag = 0.0

    async def run(self) -> None:
        """Follow the log until cancelled. A feed that fails is left for a new one after a pause."""
        try:
            while True:
                try:
                    await self._follow()
                except LogReplaced as replaced:
                    await self._in_worker(self._stop_all, f"{replaced} Rebuild the view.")
                except Exception as error:  # noqa: BLE001 - told, waited out, and watched
                    await self._pause(error)
        finally:
            self.close()

    def close(self) -> None:
        """Wait for the transactions at work, if any."""
        self._worker.shutdown(wait=True)
        self._marker.shutdown(wait=True)

    async def _follow(self) -> None:
        feed = self._make_feed(LowestPositions(self.projections))
        try:
            await feed.start()
            while True:
                await self.turn(feed)
                self._backoff.reset()
                self.failing = None
        finally:
            await self._marking.leave()
            with suppress(Exception):  # it may never have started
                await feed.stop()

    async def turn(self, feed: Feed) -> None:
        """One poll, taken by every view; then what the feed and the outside have to know."""
        batches = await self._poll(feed)
        again = await self._in_worker(self._take, batches, feed.owned())
        self.lags.show(batches)
        self._bell.ring()
        await feed.commit(self._taken({batch.lane for batch in batches}))
        for lane in sorted(again):
            await feed.rewind(lane)
        await self._look_around(feed)
        self._turned_at = self._now()

    def silent_for(self) -> float:
        """Seconds since the loop last came round."""
        return self._now() - self._turned_at

    async def _poll(self, feed: Feed) -> Sequence[LaneBatch]:
        if all(projection.stopped is not None for projection in self.projections):
            await asyncio.sleep(self._pace.poll)
            return ()
        in_trouble = any(p.waiting is not None or p.gaps for p in self.projections)
        timeout = _IN_TROUBLE if in_trouble else self._pace.poll
        return await feed.poll(self._pace.batch, timeout)

    def _take(self, batches: Sequence[LaneBatch], owned: frozenset[Lane]) -> set[Lane]:
        now = self._now()
        again: set[Lane] = set()
        for projection in self.projections:
            again |= projection.turn(batches, owned, now)
        self._work.decoder.forget()
        return again

    def _taken(self, lanes: set[Lane]) -> dict[Lane, LanePosition]:
        """Where the slowest view that is not stopped has come to in each of these lanes."""
        rows = [(p.view.contexts, p.known()) for p in self.projections if p.stopped is None]
        return {
            lane: _lowest(lane, rows)
            for lane in lanes
            if rows and all(lane in states for contexts, states in rows if lane.context in contexts)
        }

    async def _look_around(self, feed: Feed) -> None:
        now = self._now()
        if self._marking.free() and now >= self._next_marks:
            self._next_marks = now + _MARKS_EVERY
            if marks := await feed.marks():
                self._marking.begin(self._store(marks))
        if now >= self._next_lag:
            self._next_lag = now + _LAG_EVERY
            self.lags.measure(feed.lag(), self.projections)

    async def _store(self, marks: Mapping[str, Sequence[Mark]]) -> None:
        """Beside the views, which wait for no mark. Of one that is lost a new feed tells again."""
        loop, database = asyncio.get_running_loop(), self._work.database
        await loop.run_in_executor(self._marker, store_marks, database, marks)

    async def _pause(self, error: Exception) -> None:
        self.failing = str(error) if isinstance(error, FeedUnavailable) else type(error).__name__
        seconds = min(self._backoff.next(), _LONGEST_PAUSE)
        _log.warning("feed_failed", reason=self.failing, seconds=seconds, exc_info=error)
        self._turned_at = self._now()
        await asyncio.sleep(seconds)

    def _stop_all(self, reason: str) -> None:
        for projection in self.projections:
            projection.stop(reason)

    async def _in_worker(self, work: Callable[..., Any], *arguments: Any) -> Any:
        return await asyncio.get_running_loop().run_in_executor(self._worker, work, *arguments)
