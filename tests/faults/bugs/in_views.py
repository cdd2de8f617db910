"""Bugs of the projections: positions, parking, order, rebuilding."""

from __future__ import annotations

from typing import Any

from crm_projections.engine import admission, applying, intake, position, rebuild
from crm_projections.engine.generation import live_number
from crm_projections.engine.parking import left_out, park, parked_aggregates
from crm_projections.engine.position import advance, load_states
from crm_projections.engine.tables import POSITIONS
from sqlalchemy import bindparam, update

from tests.faults.bugs.bug import Bug, instead


def _without_revision(_: Any) -> Any:
    names = ("view", "generation", "context", "partition")
    same = (POSITIONS.c[name] == bindparam(f"is_{name}") for name in names)
    moved: dict[str, Any] = {name: bindparam(name) for name in position._MOVED}
    return update(POSITIONS).where(*same, bindparam("is_revision") >= 0).values(moved)


def _unfenced(real: Any) -> Any:
    def move(connection: Any, generation: Any, steps: Any) -> None:
        try:
            real(connection, generation, steps)
        except position.Fenced:
            return

    return move


def _position_first(_: Any) -> Any:
    def write(self: Any, plan: Any, handed: Any, now: int) -> applying.Written:
        generation = self._opened.generation
        with self._database.writing() as connection:
            advance(connection, generation, plan.steps)
        with self._database.writing() as connection:
            if handed:
                self._view.apply(connection, self._opened.tables, handed)
            parked = park(connection, generation, plan.letters, now)
        moved = {step.lane: step.after for step in plan.steps}
        return applying.Written(moved, plan.letters, parked)

    return write


def _facts_first(_: Any) -> Any:
    def write(self: Any, plan: Any, handed: Any, now: int) -> applying.Written:
        generation = self._opened.generation
        with self._database.writing() as connection:
            if handed:
                self._view.apply(connection, self._opened.tables, handed)
            parked = park(connection, generation, plan.letters, now)
        with self._database.writing() as connection:
            advance(connection, generation, plan.steps)
        moved = {step.lane: step.after for step in plan.steps}
        return applying.Written(moved, plan.letters, parked)

    return write


def _twice(real: Any) -> Any:
    def write(self: Any, plan: Any, handed: Any, now: int) -> Any:
        return real(self, plan, applying.Handed([*handed, *handed]), now)

    return write


def _not_kept(_: Any) -> Any:
    return lambda *_: None


def _without_predecessors(_: Any) -> Any:
    def follow(items: Any, last: int) -> Any:
        taken = []
        for item in items:
            if item.record.sequence > last:
                taken.append(item)
                last = item.record.sequence
        return taken, []

    return follow


def _parked_as_at_first(_: Any) -> Any:
    def stored(self: Any, connection: Any) -> Any:
        if not self.states:
            self._parked = parked_aggregates(connection, self.opened.generation)
            self._left_out = left_out(connection, self._name)
        return load_states(connection, self.opened.generation)

    return stored


def _passed_at_once(_: Any) -> Any:
    def passed(connection: Any, view: str, new: Any) -> bool:
        old = live_number(connection, view)
        return old is not None and (
            load_states(connection, old).keys() <= load_states(connection, new).keys()
        )

    return passed


BUGS = (
    Bug(
        "position CAS skipped",
        "a view's position moves without being compared with what was read",
        "I2",
        instead(position, "_ADVANCE", _without_revision),
        shows=6,
    ),
    Bug(
        "no fencing after a freeze",
        "a projector that was replaced while it was frozen writes all the same",
        "I2",
        instead(applying, "advance", _unfenced),
        shows=6,
    ),
    Bug(
        "offset committed before SQL",
        "the position is committed first, the facts in a transaction after it",
        "I2",
        instead(applying.Applier, "_write_whole", _position_first),
    ),
    Bug(
        "facts committed before the offset",
        "the facts are committed first, the position in a transaction after it",
        "I2",
        instead(applying.Applier, "_write_whole", _facts_first),
        shows=46,
    ),
    Bug(
        "applied twice",
        "a batch is applied twice in one transaction",
        "I2",
        instead(applying.Applier, "_write_whole", _twice),
    ),
    Bug(
        "parked letter lost",
        "an event that cannot be applied is counted as parked, and its letter not kept",
        "I10",
        instead(applying, "park", _not_kept),
    ),
    Bug(
        "taken without prevsequence",
        "whatever lies ahead is taken, whether or not the event before it has come",
        "I2",
        instead(admission, "_follow", _without_predecessors),
        shows=8,
    ),
    Bug(
        "parked aggregates remembered from the start",
        "a process that is given a lane does not look at what its last owner parked",
        "I2",
        instead(intake.Intake, "_stored", _parked_as_at_first),
        shows=26,
    ),
    Bug(
        "retired tables followed",
        "a process that is given a lane after a rebuild writes into the tables that were replaced",
        "I2",
        instead(intake, "check_current", _not_kept),
        shows=26,
    ),
    Bug(
        "view switched without catching up",
        "a rebuilt view replaces the live one before it has reached its position",
        "I7",
        instead(rebuild, "_passed", _passed_at_once),
        shows=15,
    ),
)
