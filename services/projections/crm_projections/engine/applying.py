"""One transaction for a batch: positions compared and moved, facts written, failures set aside."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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


_SUSPECTS: Final = 4
"""Beyond so many in one batch, halving is cheaper than one more pass for each."""
Failed = Mapping[UUID, tuple[int, str]]
"""Of each aggregate that failed the sequence of the event that did, and why."""


class Handed(list[Received]):
    """A batch that knows which event whoever goes through it has in hand: None before and after."""

    at: Received | None = None

    def __iter__(self) -> Iterator[Received]:
        for self.at in super().__iter__():
            yield self.at
        self.at = None

    def parted(self) -> tuple[list[Received], list[Received]]:
        """The events of the aggregate in hand, and all others."""
        suspect = None if self.at is None else self.at.envelope.aggregate_id
        own: list[Received] = []
        others: list[Received] = []
        for one in list.__iter__(self):
            (own if one.envelope.aggregate_id == suspect else others).append(one)
        return own, others


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

        An event that fails is parked with what follows it of its aggregate. Raises Fenced,
        TooManyFailures and the TRANSIENT errors.
        """
        handed = Handed(plan.received)
        try:
            return self._write_whole(plan, handed, now)
        except _NOT_OF_ONE_EVENT:
            raise
        except Exception as error:  # noqa: BLE001 - it is told apart below
            return self._write_apart(plan, handed, error, now)

    def _write_whole(self, plan: Plan, handed: Handed, now: int) -> Written:
        generation = self._opened.generation
        with self._database.writing() as connection:
            advance(connection, generation, plan.steps)
            if handed:
                self._view.apply(connection, self._opened.tables, handed)
                crash_point("applied")
            parked = park(connection, generation, plan.letters, now)
        crash_point("taken")
        moved = {step.lane: step.after for step in plan.steps}
        return Written(moved, plan.letters, parked)

    def _write_apart(self, plan: Plan, handed: Handed, error: Exception, now: int) -> Written:
        generation = self._opened.generation
        with self._database.writing() as connection:
            advance(connection, generation, plan.steps)
            failed = self._sift(connection, handed, error)
            fallen = _letters_of(plan.received, failed)
            counted = Counter(letter.lane for letter in fallen)
            for lane, count in counted.items():
                recount(connection, generation, lane, {"applied": -count, "parked": count})
            letters = [*plan.letters, *fallen]
            parked = park(connection, generation, letters, now)
        moved = {step.lane: _recounted(step.after, counted[step.lane]) for step in plan.steps}
        return Written(moved, letters, parked)

    def _sift(self, connection: Connection, handed: Handed, error: Exception) -> Failed:
        """Apply all that can be of a batch that has just failed.

        The event that the view had in hand is the suspect: its aggregate is tried alone, then all
        the others once more. Where nobody had one in hand, or the suspect was innocent, what failed
        is found by halving, which takes several times as long.
        """
        failed: dict[UUID, tuple[int, str]] = {}
        for _ in range(_SUSPECTS):
            if handed.at is None:
                break
            own, others = handed.parted()
            found = self._isolate(connection, own)
            failed |= found
            handed = Handed(others)
            again = self._tried(connection, handed)
            if again is None:
                return failed
            error = again
            if not found:
                break
        return {**failed, **self._halve(connection, handed, error)}

    def _isolate(self, connection: Connection, received: Sequence[Received]) -> Failed:
        error = self._tried(connection, received)
        return {} if error is None else self._halve(connection, received, error)

    def _tried(self, connection: Connection, received: Sequence[Received]) -> Exception | None:
        """Why these cannot be applied; None where they have been. Raises the TRANSIENT errors."""
        if not received:
            return None
        try:
            with connection.begin_nested():
                self._view.apply(connection, self._opened.tables, received)
        except TRANSIENT:
            raise
        except Exception as error:  # noqa: BLE001 - whatever a view raises parks one aggregate
            return error
        return None

    def _halve(
        self, connection: Connection, received: Sequence[Received], error: Exception
    ) -> Failed:
        if len(received) == 1:
            envelope = received[0].envelope
            return {envelope.aggregate_id: (envelope.sequence, reason_of(error, envelope.type))}
        middle = len(received) // 2
        failed = self._isolate(connection, received[:middle])
        rest = [r for r in received[middle:] if r.envelope.aggregate_id not in failed]
        return {**failed, **self._isolate(connection, rest)}


def _letters_of(received: Sequence[Received], failed: Failed) -> list[Letter]:
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
