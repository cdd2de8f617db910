"""A generation beside the live one, filled from the log for as long as somebody wants."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar

import structlog
from crm_events.crashing import crash_point
from crm_events.feed.kafka import FeedUnavailable
from crm_events.feed.port import Lane, LogReplaced
from crm_events.feed.store import lanes_of
from crm_events.store.port import StoreUnavailable

from crm_projections.engine.applying import TRANSIENT
from crm_projections.engine.bounded import BoundedFeed, Bounds
from crm_projections.engine.database import Database
from crm_projections.engine.generation import Status
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Workplace
from crm_projections.engine.leftovers import drop_unless_live
from crm_projections.engine.position import Generation, LaneState
from crm_projections.engine.projection import Projection
from crm_projections.engine.runner import LowestPositions, MakeFeed, Pace, Runner
from crm_projections.engine.unfinished import Begun, Wanted, take_up
from crm_projections.engine.view import Projector
from crm_projections.engine.waiting import Bell

T = TypeVar("T")
R = TypeVar("R")
States = Mapping[Lane, LaneState]
_log = structlog.get_logger("crm.views")
_PACE: Final = Pace(poll=0.1)
_INSTANT: Final = 1e-6
_REPLACED: Final = (
    "The log no longer holds what an earlier attempt had taken of it: this one begins anew."
)
AWAY: Final = (FeedUnavailable, StoreUnavailable, *TRANSIENT)
"""The log or the database cannot be reached: nothing is wrong with what was filled."""


class RebuildFailed(Exception):
    """The new generation could not be filled; the one that answers was left as it is."""


class LogEnds(Exception):
    """The log showed nothing more before what was waited for had come."""


@dataclass(frozen=True, slots=True)
class Filled:
    """How many events were taken into which generation so far; of them `continued` by an attempt
    before this one, None where there was none. `note` says why none of it was gone on with."""

    generation: Generation
    events: int
    continued: int | None = None
    note: str | None = None


Told = Callable[[Filled], None]


def untold(_: Filled) -> None:
    """For whoever does not watch."""


@dataclass(frozen=True, slots=True)
class Source(Generic[T]):
    """What is filled, where, from which log, and who is told how far it is.

    A log that shows nothing new for `quiet` seconds has shown everything. What was interrupted
    under the same `settings` is gone on with, unless `anew`; without settings nothing is, and
    nothing is kept.
    """

    view: Projector[T]
    work: Workplace
    make_feed: MakeFeed
    quiet: float = 0.0
    told: Told = untold
    settings: str | None = None
    anew: bool = False
    note: str | None = None
    """Why it is begun anew, where that is known already."""


class Filling(Generic[T]):
    """One generation being filled. Made by `filling`."""

    def __init__(self, source: Source[T], begun: Begun[T], bounds: Bounds) -> None:
        opened = self.opened = begun.opened
        self._begun = begun
        self._states = dict(begun.states)
        self._events = _seen(begun.states)
        self.work = source.work.apart()
        self._source = source
        self._projection = Projection(source.view, self.work, lambda: opened)
        self._runner = Runner([self._projection], self.work, source.make_feed, Bell(), _PACE)
        feed = source.make_feed(LowestPositions([self._projection]))
        self._feed = BoundedFeed(feed, bounds, begun.taken)
        self._silence = self._standstill = 0.0
        self._turned_at: float | None = None

    @property
    def states(self) -> States:
        """As this process last knew them, whatever trouble it is in."""
        self._states.update(self._projection.known())
        return self._states

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
            self._look(self._projection.moves != moves)
            self._tell()
            if self._projection.stopped is not None:
                raise RebuildFailed(self._projection.stopped)
            if patience is not None and self._standstill >= patience:
                raise LogEnds(f"nothing came for {patience:g} s")

    def worth_keeping(self, error: BaseException) -> bool:
        """Whether another attempt is to go on with it: nothing is wrong with it, it is not empty,
        and holds no names."""
        passing = isinstance(error, (asyncio.CancelledError, *AWAY))
        lasting = self._source.settings is not None and not self._source.view.definition.personal
        return passing and lasting and _seen(self.states) > 0

    def _look(self, moved: bool) -> None:
        """How long nothing has come (standstill), and of it how long for there is nothing more."""
        now = asyncio.get_running_loop().time()
        passed = now - (now if self._turned_at is None else self._turned_at)
        self._turned_at = now
        self._standstill = 0.0 if moved else self._standstill + passed
        quiet = not moved and self._nothing_ahead()
        self._silence = self._silence + max(passed, _INSTANT) if quiet else 0.0

    def begin(self) -> None:
        """Tell from where it goes on, and why from nowhere else."""
        view, note = self._source.view.definition.id, self._begun.note or self._source.note
        if self._begun.states:
            _log.info("goes_on", view=view, events=_seen(self._begun.states))
        elif note:
            _log.info("begins_anew", view=view, reason=note)
        self._tell()

    def _tell(self) -> None:
        begun = self._begun
        before = _seen(begun.states) if begun.states else None
        events = _seen(self.states)
        if events > self._events:
            self._events = events
            crash_point("rebuilding")
        self._source.told(
            Filled(self.opened.generation, events, before, begun.note or self._source.note)
        )

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
    """A generation of the view beside the live one, and what fills it; what is done with it is said
    inside.

    It may be what was interrupted before. It is dropped where an error ended it, kept where it was
    interrupted; at the end a `scratch` one is dropped.
    """
    begun = await _made(source, status, bounds or {})
    found, kept = Filling(source, begun, bounds or {}), False
    try:
        found.begin()
        try:
            await found.start()
            yield found
        finally:
            await found.stop()
        kept = status == "building"
    except BaseException as error:
        kept = found.worth_keeping(error)
        raise
    finally:
        await asyncio.to_thread(_left, source.work.database, begun, kept)


def _left(database: Database, begun: Begun[T], kept: bool) -> None:
    try:
        if not kept:
            drop_unless_live(database, begun.opened)
    finally:
        begun.release()


async def _made(source: Source[T], status: Status, bounds: Bounds) -> Begun[T]:
    """Whoever is cancelled while tables are made waits for them, and drops them if they are new."""
    making = asyncio.ensure_future(asyncio.to_thread(_begun, source, status, bounds))
    try:
        return await asyncio.shield(making)
    except asyncio.CancelledError:
        begun = await making
        await asyncio.to_thread(_left, source.work.database, begun, bool(begun.states))
        raise


def _begun(source: Source[T], status: Status, bounds: Bounds) -> Begun[T]:
    wanted = Wanted(source.view, source.settings, source.anew, status, bounds)
    return take_up(source.work.database, wanted, micros(source.work.clock()))


def _seen(states: States) -> int:
    return sum(state.seen for state in states.values())


async def going_on(source: Source[T], work: Callable[[Source[T]], Awaitable[R]]) -> R:
    """What comes of work that fills; begun anew where the log is not the one that an earlier
    attempt had read."""
    try:
        return await work(source)
    except LogReplaced:  # and so what had been begun is dropped
        return await work(replace(source, anew=True, note=_REPLACED))
