"""A generation beside the live one, filled from the log for as long as somebody wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from crm_events.crashing import crash_point
from crm_events.feed.port import Lane
from crm_events.feed.store import lanes_of

from crm_projections.engine.bounded import BoundedFeed, Bounds
from crm_projections.engine.generation import Opened, Status, create_beside, drop
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Workplace
from crm_projections.engine.position import Generation, LaneState
from crm_projections.engine.projection import Projection
from crm_projections.engine.runner import LowestPositions, MakeFeed, Pace, Runner
from crm_projections.engine.view import Projector
from crm_projections.engine.waiting import Bell

T = TypeVar("T")
States = Mapping[Lane, LaneState]
_PACE: Final = Pace(batch=5_000, poll=0.1)
_INSTANT: Final = 1e-6


class RebuildFailed(Exception):
    """The new generation could not be filled; the one that answers was left as it is."""


class LogEnds(Exception):
    """The log showed nothing more before what was waited for had come."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many events were taken into which generation so far."""

    generation: Generation
    events: int


Told = Callable[[Filled], None]


def untold(_: Filled) -> None:
    """For whoever does not watch."""


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """What is filled, where, from which log, and who is told how far it is.

    A log that shows nothing new for `quiet` seconds has shown everything.
    """

    view: Projector[T]
    work: Workplace
    make_feed: MakeFeed
    quiet: float = 0.0
    told: Told = untold


class Filling(Generic[T]):
    """One generation being filled. Made by `filling`."""

    def __init__(self, source: Source[T], opened: Opened[T], bounds: Bounds) -> None:
        self.opened = opened
        self.work = source.work.apart()
        self._source = source
        self._projection = Projection(source.view, self.work, lambda: opened)
        self._runner = Runner([self._projection], self.work, source.make_feed, Bell(), _PACE)
        self._feed = BoundedFeed(source.make_feed(LowestPositions([self._projection])), bounds)
        self._silence = self._standstill = 0.0
        self._turned_at: float | None = None

    @property
    def states(self) -> States:
        return self._projection.known()

    @property
    def whole(self) -> bool:
        """Whether this is all that the log holds."""
        return self._silence > 0 and self._silence >= self._source.quiet

    async def start(self) -> None:
        await self._feed.start()

    async def extend(self, bounds: Bounds) -> None:
        """Go on to bounds that are no lower."""
        self._silence = self._standstill = 0.0
        await self._feed.extend(bounds)

    async def until(self, done: Callable[[], bool], patience: float | None = None) -> None:
        """Take events until `done` (asked in a thread) is true.

        Raises RebuildFailed, and LogEnds after `patience` seconds in which nothing came.
        """
        while not await asyncio.to_thread(done):
            moves = self._projection.moves
            await self._runner.turn(self._feed)
            crash_point("rebuilding")
            self._look(self._projection.moves != moves)
            self._tell()
            if self._projection.stopped is not None:
                raise RebuildFailed(self._projection.stopped)
            if patience is not None and self._standstill >= patience:
                raise LogEnds(f"nothing came for {patience:g} s")

    def _look(self, moved: bool) -> None:
        """How long nothing has come (standstill), and of it how long for there is nothing more."""
        now = asyncio.get_running_loop().time()
        passed = now - (now if self._turned_at is None else self._turned_at)
        self._turned_at = now
        self._standstill = 0.0 if moved else self._standstill + passed
        quiet = not moved and self._nothing_ahead()
        self._silence = self._silence + max(passed, _INSTANT) if quiet else 0.0

    def _tell(self) -> None:
        events = sum(state.seen for state in self.states.values())
        self._source.told(Filled(self.opened.generation, events))

    def _nothing_ahead(self) -> bool:
        """Whether the feed owns every lane, knows how far each goes, and has shown all of it."""
        feed, lanes = self._feed, set(lanes_of(self._source.view.contexts))
        ahead = feed.lag()
        return lanes <= feed.owned() and lanes <= ahead.keys() and not any(ahead.values())

    async def stop(self) -> None:
        await self._feed.stop()
        self._runner.close()


@asynccontextmanager
async def filling(
    source: Source[T], status: Status, bounds: Bounds | None = None
) -> AsyncIterator[Filling[T]]:
    """A new, empty generation of the view and what fills it; what is done with it is said inside.

    Dropped at the end: a `scratch` one always, a `building` one only where an error ended it.
    """
    opened, kept = await _made(source, status), False
    try:
        source.told(Filled(opened.generation, 0))
        found = Filling(source, opened, bounds or {})
        try:
            await found.start()
            yield found
        finally:
            await found.stop()
        kept = status == "building"
    finally:
        if not kept:
            await asyncio.to_thread(drop, source.work.database, opened)


async def _made(source: Source[T], status: Status) -> Opened[T]:
    """Whoever is cancelled while tables are made waits for them, and drops them."""
    work = source.work
    making = asyncio.ensure_future(
        asyncio.to_thread(create_beside, work.database, source.view, status, micros(work.clock()))
    )
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        opened = await making
        await asyncio.to_thread(drop, work.database, opened)
        raise


def lane_bounds(contexts: Mapping[str, int]) -> dict[Lane, int]:
    """Every lane of a context up to the context's sequence."""
    return {lane: contexts[lane.context] for lane in lanes_of(list(contexts))}
