"""`python -m tests.bench.stages`: what an event costs in each stage of a projection.

Processor time of the one thread that does it, in microseconds, the least of many batches: what
neighbours on a busy machine add to it differs from batch to batch, and is left out.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any, Final
from zoneinfo import ZoneInfo

from crm_events.codec import Codec
from crm_events.envelope import Envelope
from crm_events.feed.port import LaneBatch
from crm_events.feed.store import lane_batches, lanes_of
from crm_events.store.port import LogPage
from crm_projections.engine.admission import admit
from crm_projections.engine.applying import Applier
from crm_projections.engine.database import Database, postgres_database
from crm_projections.engine.decoding import Decoder, interest
from crm_projections.engine.generation import migrate, open_live
from crm_projections.engine.planning import Plan, Planner
from crm_projections.engine.position import ensure_lanes, load_states
from crm_projections.engine.view import Projector
from crm_projections.facts.instants import Reporting
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.retention.projector import RetentionView
from crm_service.collector import spare_the_collector

from tests.bench.deals import fill_with_deals
from tests.bench.ground import Ground, fresh_namespace, ground
from tests.bench.stores import Store, fill, sqlite_store
from tests.bench.upserts import LastEventView

_EVENTS, _BATCH, _ROUNDS = 20_000, 2_000, 4
_NO_END: Final = 2**62
_REPORTING: Final = Reporting(ZoneInfo("UTC"), "EUR")
_CASES: Final[dict[str, tuple[Projector[Any], Callable[[Store], int]]]] = {
    "R3-engine": (LastEventView(), lambda store: fill(store, _EVENTS)),
    "R3-retention": (RetentionView(_REPORTING), lambda store: fill(store, _EVENTS)),
    "R3-funnel": (FunnelView(_REPORTING), lambda store: fill_with_deals(store, _EVENTS // 4)),
}


class Stages:
    """Microseconds an event, by stage."""

    def __init__(self) -> None:
        self.spent: dict[str, list[float]] = defaultdict(list)

    @contextmanager
    def of(self, stage: str) -> Iterator[None]:
        began = time.thread_time()
        yield
        self.spent[stage].append((time.thread_time() - began) / _BATCH * 1e6)

    def tell(self, id: str) -> None:
        least = {stage: min(spent) for stage, spent in self.spent.items()}
        told = ", ".join(f"{stage} {micros:.1f}" for stage, micros in least.items())
        print(f"{id}: {told}; in all {sum(least.values()):.1f} microseconds of CPU an event")


class Folding:
    """A log folded by one thread as the engine does it, stage after stage."""

    def __init__(self, store: Store, database: Database, view: Projector[Any]) -> None:
        self._store = store
        self._decoder = Decoder(Codec(store.keys))
        self._interest = interest(view.handles)
        opened = open_live(database, view, 0)
        self._applier = Applier(database, view, opened)
        with database.writing() as connection:
            ensure_lanes(connection, opened.generation, lanes_of(["pipeline"]))
            self._states = load_states(connection, opened.generation)
        self._last: dict[int, int] = {}

    def fold(self, stages: Stages) -> None:
        after = 0
        while True:
            with stages.of("rows of the log"):
                rows = self._store.recorder.log_rows(after, _NO_END, _BATCH)
            if len(rows) < _BATCH:
                stages.spent["rows of the log"].pop()
                return
            after = rows[-1][0]
            with stages.of("envelopes"):
                envelopes = [self._store.recorder.values.envelope(row) for row in rows]
                batches = lane_batches("pipeline", LogPage(envelopes, after), self._last)
            self._take(envelopes, batches, stages)

    def _take(self, envelopes: list[Envelope], batches: list[LaneBatch], stages: Stages) -> None:
        with stages.of("decoding"):
            for envelope in envelopes:
                self._decoder.decode(envelope)
        with stages.of("order, parking, counts and digest"):
            plan = self._plan(batches)
        with stages.of("the view with its driver"):
            self._states.update(self._applier.write(plan, 0).states)
        self._decoder.forget()

    def _plan(self, batches: list[LaneBatch]) -> Plan:
        planner = Planner(self._interest, self._decoder, set(), set())
        for batch in batches:
            state = self._states[batch.lane]
            planner.add(batch.lane, state, admit(batch, state.sequence, state.offset), 0)
        return planner.plan


def measured(place: Ground, view: Projector[Any], filled: Callable[[Store], int]) -> Stages:
    stages = Stages()
    with sqlite_store(place) as store:
        filled(store)
        for _ in range(_ROUNDS):
            with (
                place.database() as dsn,
                closing(postgres_database(dsn, fresh_namespace())) as database,
            ):
                migrate(database)
                Folding(store, database, view).fold(stages)
    return stages


if __name__ == "__main__":
    spare_the_collector()
    with ground(quick=False) as place:
        for id, (view, filled) in _CASES.items():
            measured(place, view, filled).tell(id)
