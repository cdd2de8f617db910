"""One view kept up to date by this process: whether it follows, waits or has stopped."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from typing import Generic, TypeVar

import structlog
from crm_events.feed.port import Lane, LaneBatch
from crm_events.feed.store import lanes_of

from crm_projections.engine.applying import TRANSIENT
from crm_projections.engine.gaps import Backoff
from crm_projections.engine.generation import Opened, OutdatedView
from crm_projections.engine.intake import Intake, Workplace
from crm_projections.engine.parking import TooManyFailures
from crm_projections.engine.position import Fenced, LaneState, load_states
from crm_projections.engine.stopping import record_stop
from crm_projections.engine.view import Projector

T = TypeVar("T")
_NOTHING: frozenset[Lane] = frozenset()
_log = structlog.get_logger("crm.views")


class Projection(Generic[T]):
    """Takes batches into one view. Not thread-safe: all but `stored` runs in one thread."""

    def __init__(
        self, view: Projector[T], workplace: Workplace, opener: Callable[[], Opened[T]]
    ) -> None:
        self.view = view
        self.name = view.definition.id
        self.stopped: str | None = None
        self.waiting: str | None = None
        self.moves = 0
        self._work = workplace
        self._opener = opener
        self._intake: Intake[T] | None = None
        self._backoff = Backoff()
        self._missed: set[Lane] = set()
        self._resume_at = 0.0
        self._anew = False

    def stored(self) -> Mapping[Lane, LaneState] | None:
        """The position rows as the database holds them now; None where they are not this view's."""
        try:
            generation = self._opener().generation
        except OutdatedView:
            return None
        with self._work.database.reading() as connection:
            return load_states(connection, generation)

    def known(self) -> Mapping[Lane, LaneState]:
        """The position rows as this process knows them."""
        return dict(self._intake.states) if self._intake is not None else {}

    @property
    def gaps(self) -> frozenset[Lane]:
        """Lanes in which an event is missing."""
        return self._intake.gaps.lanes if self._intake is not None else _NOTHING

    def turn(
        self, batches: Sequence[LaneBatch], owned: AbstractSet[Lane], now: float
    ) -> AbstractSet[Lane]:
        """Take what came; answers the lanes that the feed must read again. `now` is monotonic."""
        mine = [batch for batch in batches if batch.lane.context in self.view.contexts]
        lanes = {batch.lane for batch in mine}
        if self._anew:
            self._anew, self._intake, self.waiting = False, None, None
            return frozenset(lanes_of(self.view.contexts))
        if self.stopped is not None:
            return _NOTHING
        if self.waiting is not None:
            return self._resume(lanes, now)
        try:
            return self._follow(mine, owned, now)
        except Fenced as fenced:
            return self._start_over(lanes, fenced)
        except TRANSIENT as error:
            self._wait(lanes, error, now)
        except (TooManyFailures, OutdatedView) as error:
            self.stop(str(error))
        return _NOTHING

    def _follow(
        self, batches: Sequence[LaneBatch], owned: AbstractSet[Lane], now: float
    ) -> AbstractSet[Lane]:
        intake = self._intake or self._open()
        intake.let_go(owned)
        moved, stop = intake.take(batches, now)
        self._backoff.reset()
        self.moves += moved
        if stop is not None:
            self.stop(stop)
        return intake.overdue(now)

    def _open(self) -> Intake[T]:
        opened = self._opener()
        record_stop(self._work.database, opened.generation, None)
        self._work.metrics.stopped(self.name, False)
        self._intake = Intake(self.view, self._work, opened)
        return self._intake

    def stop(self, reason: str) -> None:
        """Take nothing more until this process is started again."""
        self.stopped = reason
        self._work.metrics.stopped(self.name, True)
        _log.error("view_stopped", view=self.name, reason=reason)
        with suppress(OutdatedView, *TRANSIENT):  # it has stopped, whether that is on record or not
            opened = self._intake.opened if self._intake is not None else self._opener()
            record_stop(self._work.database, opened.generation, reason)

    def begin_anew(self) -> None:
        """Follow the generation that is live now, from its own position. Thread-safe."""
        self._anew, self.stopped = True, None

    def _start_over(self, lanes: set[Lane], fenced: Fenced) -> AbstractSet[Lane]:
        _log.warning("view_fenced", view=self.name, lanes=str(fenced))
        self._work.metrics.fenced(self.name)
        again = lanes | self.gaps
        self._intake = None
        return again

    def _wait(self, lanes: set[Lane], error: Exception, now: float) -> None:
        """Other views may go on; what this one misses meanwhile is read again for it."""
        delay = self._backoff.next()
        self.waiting, self._resume_at = type(error).__name__, now + delay
        self._missed |= lanes | self.gaps
        self._intake = None
        _log.warning("view_waits", view=self.name, reason=self.waiting, seconds=delay)

    def _resume(self, lanes: set[Lane], now: float) -> AbstractSet[Lane]:
        self._missed |= lanes
        if now < self._resume_at:
            return _NOTHING
        again, self._missed, self.waiting = self._missed, set(), None
        return again
