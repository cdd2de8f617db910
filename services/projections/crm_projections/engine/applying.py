"""One transaction for a batch: positions compared and moved, facts written, failures set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Generic, TypeVar
from uuid import UUID

import sqlalchemy.exc
from crm_events.crashing import crash_point
from crm_events.feed.port import Lane
from crm_events.keys.port import KeysUnavailable
from sqlalchemy import Connection

from crm_projections.engine.database import Database
from crm_projections.engine.decoding import reason_of
from crm_projections.engine.generation import Opened
from crm_projections.engine.letters import Letter
from crm_projections.engine.parking import TooManyFailures, park
from crm_projections.engine.planning import Plan
from crm_projections.engine.position import Fenced, LaneState, advance, recount
from crm_projections.engine.view import Projector, Received

T = TypeVar("T")
TRANSIENT: Final = (
    sqlalchemy.exc.OperationalError,
    sqlalchemy.exc.InterfaceError,
    sqlalchemy.exc.InternalError,  # a server that became read-only, or ended the transaction
    sqlalchemy.exc.TimeoutError,
    KeysUnavailable,
)
"""Errors that pass by themselves: waited for, never parked."""
_NOT_OF_ONE_EVENT: Final = (*TRANSIENT, Fenced, TooManyFailures)


@dataclass(frozen=True, slots=True)
class Written:
    """What a transaction left: the rows of the lanes it moved, what it parked, and, where it did,
    how many are parked now."""

    states: Mapping[Lane, LaneState]
    letters: Sequence[Letter]
    parked: int | None


class Applier(Generic[T]):
    """Writes plans into one generation of a view."""

    def __init__(self, database: Database, view: Projector[T], opened: Opened[T]) -> None:
        self._database = database
        self._view = view
        self._opened = opened

    def write(self, plan: Plan, now: int) -> Written:
        """All of the plan in one transaction, or none of it.

        An event that fails is found by halving the batch, and parked with what follows it of its
        aggregate. Raises Fenced, TooManyFailures and the TRANSIENT errors.
        """
        try:
            return self._write_whole(plan, now)
        except _NOT_OF_ONE_EVENT:
            raise
        except Exception:  # noqa: BLE001 - it is told apart below, event by event
            return self._write_apart(plan, now)

    def _write_whole(self, plan: Plan, now: int) -> Written:
        generation = self._opened.generation
        with self._database.writing() as connection:
            advance(connection, generation, plan.steps)
            if plan.received:
                self._view.apply(connection, self._opened.tables, plan.received)
                crash_point("applied")
            parked = park(connection, generation, plan.letters, now)
        crash_point("taken")
        moved = {step.lane: step.after for step in plan.steps}
        return Written(moved, plan.letters, parked)

    def _write_apart(self, plan: Plan, now: int) -> Written:
        generation = self._opened.generation
        with self._database.writing() as connection:
            advance(connection, generation, plan.steps)
            failed = self._isolate(connection, plan.received)
            fallen = _letters_of(plan.received, failed)
            counted = Counter(letter.lane for letter in fallen)
            for lane, count in counted.items():
                recount(connection, generation, lane, {"applied": -count, "parked": count})
            letters = [*plan.letters, *fallen]
            parked = park(connection, generation, letters, now)
        moved = {step.lane: _recounted(step.after, counted[step.lane]) for step in plan.steps}
        return Written(moved, letters, parked)

    def _isolate(
        self, connection: Connection, received: Sequence[Received]
    ) -> dict[UUID, tuple[int, str]]:
        """Apply all that can be; answers aggregate -> (sequence of the event that failed, why)."""
        if not received:
            return {}
        try:
            with connection.begin_nested():
                self._view.apply(connection, self._opened.tables, received)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a view raises parks one aggregate
            return self._halve(connection, received, error)
        return {}

    def _halve(
        self, connection: Connection, received: Sequence[Received], error: Exception
    ) -> dict[UUID, tuple[int, str]]:
        if len(received) == 1:
            envelope = received[0].envelope
            return {envelope.aggregate_id: (envelope.sequence, reason_of(error, envelope.type))}
        middle = len(received) // 2
        failed = self._isolate(connection, received[:middle])
        rest = [r for r in received[middle:] if r.envelope.aggregate_id not in failed]
        return failed | self._isolate(connection, rest)


def _letters_of(
    received: Sequence[Received], failed: Mapping[UUID, tuple[int, str]]
) -> list[Letter]:
    found: list[Letter] = []
    for one in received:
        envelope = one.envelope
        sequence, reason = failed.get(envelope.aggregate_id, (envelope.sequence + 1, ""))
        lane = Lane(envelope.context, envelope.partition)
        if envelope.sequence == sequence:
            found.append(Letter(lane, envelope, "failed", reason))
        elif envelope.sequence > sequence:
            found.append(Letter(lane, envelope, "behind", "waits behind a parked event"))
    return found


def _recounted(state: LaneState, parked: int) -> LaneState:
    if not parked:
        return state
    return replace(
        state,
        applied=state.applied - parked,
        parked=state.parked + parked,
        revision=state.revision + 1,
    )
