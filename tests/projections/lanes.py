"""A view's facts written lane by lane, as several copies of a projector do, without an engine."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from crm_events.feed.port import Lane
from crm_events.feed.store import lanes_of
from crm_projections.engine.database import Database
from crm_projections.engine.generation import Opened, open_live
from crm_projections.engine.letters import Letter
from crm_projections.engine.parking import park
from crm_projections.engine.position import (
    LaneState,
    Step,
    advance,
    ensure_lanes,
    load_states,
    recount,
)
from crm_projections.engine.tables import LETTERS
from crm_projections.engine.view import Received, View
from sqlalchemy import update


class Lanes:
    """A log that has been written, of which each lane has taken a part."""

    def __init__(self, database: Database, view: View[Any], log: Iterable[Received]) -> None:
        self.database = database
        self.view = view
        self.opened: Opened[Any] = open_live(database, view, 1)
        self.ahead: dict[Lane, deque[Received]] = {
            lane: deque() for lane in lanes_of(view.contexts)
        }
        self.parked: list[Received] = []
        self._heads: dict[str, int] = {}
        with database.writing() as connection:
            ensure_lanes(connection, self.opened.generation, self.ahead)
        for received in log:
            envelope = received.envelope
            self.ahead[Lane(envelope.context, envelope.partition)].append(received)
            self._heads[envelope.context] = envelope.sequence

    def left(self) -> list[Lane]:
        return [lane for lane, events in self.ahead.items() if events]

    def some_idle_lane(self) -> Lane:
        return next(lane for lane, events in self.ahead.items() if not events)

    def take(self, lane: Lane, most: int, poisonous: frozenset[Any] = frozenset()) -> None:
        """One transaction of a lane; events of poisonous things are parked."""
        events = self.ahead[lane]
        taken = [events.popleft() for _ in range(min(most, len(events)))]
        upto = events[0].envelope.sequence - 1 if events else self._heads.get(lane.context, 0)
        aside = [r for r in taken if r.envelope.aggregate_id in poisonous]
        good = [r for r in taken if r.envelope.aggregate_id not in poisonous]
        with self.database.writing() as connection:
            before = load_states(connection, self.opened.generation)[lane]
            after = self._moved(before, taken, upto)
            advance(connection, self.opened.generation, [Step(lane, before, after)])
            if good:
                self.view.apply(connection, self.opened.tables, good)
            letters = [Letter(lane, r.envelope, "failed", "poison") for r in aside]
            park(connection, self.opened.generation, letters, 1)
        self.parked += aside

    def _moved(self, before: LaneState, taken: list[Received], upto: int) -> LaneState:
        last = taken[-1].envelope.sequence if taken else before.sequence
        return replace(before, sequence=last, complete_to=upto, revision=before.revision + 1)

    def apply_parked(self) -> None:
        """All that were set aside, long after what came behind them; a transaction for each."""
        for received in self.parked:
            envelope = received.envelope
            lane = Lane(envelope.context, envelope.partition)
            settled = LETTERS.c.event_id == envelope.id
            with self.database.writing() as connection:
                self.view.apply(connection, self.opened.tables, [received])
                connection.execute(update(LETTERS).where(settled).values(status="applied"))
                recount(connection, self.opened.generation, lane, {"applied": 1, "parked": -1})
        self.parked = []
