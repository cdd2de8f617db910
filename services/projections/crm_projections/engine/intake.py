"""One open generation of a view and the lanes it takes from: admit, plan, write, remember."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

import structlog
from crm_events.feed.port import Lane, LaneBatch
from prometheus_client import CollectorRegistry
from sqlalchemy import Connection

from crm_projections.engine.admission import Admission, Broken, admit
from crm_projections.engine.applying import Applier, Written
from crm_projections.engine.database import Database
from crm_projections.engine.decoding import Decoder, interest
from crm_projections.engine.gaps import Gaps
from crm_projections.engine.generation import Opened
from crm_projections.engine.instants import micros
from crm_projections.engine.metrics import ViewMetrics
from crm_projections.engine.parking import left_out, parked_aggregates, parked_count
from crm_projections.engine.planning import Plan, Planner
from crm_projections.engine.position import (
    LaneState,
    check_current,
    ensure_lanes,
    load_states,
)
from crm_projections.engine.view import Projector

T = TypeVar("T")
Clock = Callable[[], datetime]
_log = structlog.get_logger("crm.views")


@dataclass(frozen=True, slots=True)
class Workplace:
    """What every projection of a process shares."""

    database: Database
    decoder: Decoder
    clock: Clock
    metrics: ViewMetrics

    def apart(self) -> Workplace:
        """For work beside the live views, which must not be taken for theirs."""
        metrics = ViewMetrics(CollectorRegistry())
        return Workplace(self.database, self.decoder.another(), self.clock, metrics)


class Intake(Generic[T]):
    """What was read from the database is believed until a compare-and-set fails."""

    def __init__(self, view: Projector[T], work: Workplace, opened: Opened[T]) -> None:
        self.opened = opened
        self.gaps = Gaps()
        self.states: dict[Lane, LaneState] = {}
        self._name = view.definition.id
        self._work = work
        self._interest = interest(view.handles)
        self._applier = Applier(work.database, view, opened)
        self._parked: set[int] = set()
        self._left_out: set[int] = set()
        self._count_parked()

    def let_go(self, owned: AbstractSet[Lane]) -> None:
        """Lanes that went to another process are read from its rows when they come back."""
        for lane in self.states.keys() - owned:
            del self.states[lane]
            self.gaps.note(lane, (), 0.0)

    def overdue(self, now: float) -> set[Lane]:
        """Lanes that are to be read again from their rows, for nothing has mended their gaps: what
        is known of them may be what another process has moved on from."""
        late = self.gaps.overdue(now)
        for lane in late:
            self.states.pop(lane, None)
        return late

    def take(self, batches: Sequence[LaneBatch], now: float) -> tuple[bool, str | None]:
        """Take what can be taken; answers whether anything moved, and why nothing may follow.

        Raises Fenced, TooManyFailures and the TRANSIENT errors. `now` is monotonic.
        """
        self._know({batch.lane for batch in batches})
        admissions = {batch.lane: self._admit(batch) for batch in batches}
        plan = self._plan(admissions)
        if plan:
            self._remember(self._applier.write(plan, self._micros()))
            self._watch_freshness(admissions)
        for lane, admission in admissions.items():
            if self.gaps.note(lane, admission.ahead, now):
                self._alarm(lane, admission)
        return bool(plan), plan.stop

    def _know(self, lanes: AbstractSet[Lane]) -> None:
        missing = lanes - self.states.keys()
        if not missing:
            return
        with self._work.database.reading() as connection:
            stored = self._stored(connection)
        if not missing <= stored.keys():
            with self._work.database.writing() as connection:
                ensure_lanes(connection, self.opened.generation, missing - stored.keys())
                stored = self._stored(connection)
        self.states.update({lane: stored[lane] for lane in missing})

    def _stored(self, connection: Connection) -> Mapping[Lane, LaneState]:
        """The rows, and what was parked and left out as of them: whoever had a lane before may have
        parked what comes in it now. Raises Fenced where they are no longer the live ones."""
        check_current(connection, self.opened.generation)
        self._parked = parked_aggregates(connection, self.opened.generation)
        self._left_out = left_out(connection, self._name)
        return load_states(connection, self.opened.generation)

    def _admit(self, batch: LaneBatch) -> Admission:
        state = self.states[batch.lane]
        return admit(batch, state.sequence, state.offset, self.gaps.held(batch.lane))

    def _plan(self, admissions: Mapping[Lane, Admission]) -> Plan:
        planner = Planner(self._interest, self._work.decoder, self._parked, self._left_out)
        now = self._micros()
        for lane, admission in admissions.items():
            planner.add(lane, self.states[lane], admission, now)
        return planner.plan

    def _remember(self, written: Written) -> None:
        self.states.update(written.states)
        ids = (letter.aggregate_id for letter in written.letters)
        self._parked.update(id.int for id in ids if id is not None)
        if written.parked is not None:
            self._work.metrics.parked(self._name, written.parked)
            _log.error("events_parked", view=self._name, parked=written.parked)

    def _count_parked(self) -> None:
        with self._work.database.reading() as connection:
            count = parked_count(connection, self.opened.generation)
        self._work.metrics.parked(self._name, count)

    def _alarm(self, lane: Lane, admission: Admission) -> None:
        self._work.metrics.gap(self._name)
        first = admission.ahead[0].record
        _log.error(
            "view_gap",
            view=self._name,
            lane=f"{lane.context}/{lane.partition}",
            missing=first.prevsequence,
            found=first.sequence,
        )

    def _watch_freshness(self, admissions: Mapping[Lane, Admission]) -> None:
        firsts = [a.taken[0].record for a in admissions.values() if a.taken]
        times = [r.recorded_at for r in firsts if not isinstance(r, Broken)]
        if times:
            age = (self._work.clock() - min(times)).total_seconds()
            self._work.metrics.fresh(self._name, max(age, 0.0))

    def _micros(self) -> int:
        return micros(self._work.clock())
