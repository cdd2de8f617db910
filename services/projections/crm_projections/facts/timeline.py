"""Units over two times: when something was so (valid), and which prefix of the log knew it (known).

Every unit keeps its events as facts. What follows from them is a row of intervals; each event that
arrives ends the intervals it contradicts at its own sequence and begins those it implies. Nothing
is deleted, so any (as_of, known_at) can be asked for with four comparisons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from crm_projections.facts.instants import FOREVER


class Fact(Protocol):
    """One event of a unit, reduced to what its view needs."""

    @property
    def version(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def effective(self) -> int: ...
    @property
    def event_id(self) -> UUID: ...
    @property
    def supersedes(self) -> UUID | None: ...


FactT = TypeVar("FactT", bound=Fact)
StateT = TypeVar("StateT")
Fold = Callable[[StateT | None, FactT], StateT | None]


@dataclass(frozen=True, slots=True)
class Interval(Generic[StateT]):
    """What a unit was in [valid_from, valid_to); `event_id` was the last to change it."""

    valid_from: int
    valid_to: int
    event_id: UUID
    state: StateT


@dataclass(slots=True)
class KnownInterval(Generic[StateT]):
    """An interval as known to the log from sequence `known_from` until `known_to`."""

    interval: Interval[StateT]
    known_from: int
    known_to: int = FOREVER
    stored: int | None = None
    """The row's key when it came from the database."""


def intervals(facts: Sequence[FactT], fold: Fold[StateT, FactT]) -> list[Interval[StateT]]:
    """What the facts say of every instant: those effective by then, folded in order of version."""
    superseded = {fact.supersedes for fact in facts if fact.supersedes is not None}
    live = sorted(
        (fact for fact in facts if fact.event_id not in superseded), key=lambda fact: fact.version
    )
    starts = sorted({fact.effective for fact in live})
    found: list[Interval[StateT]] = []
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else FOREVER
        state, last = _folded(live, start, fold)
        if state is not None and last is not None:
            found.append(Interval(start, end, last.event_id, state))
    return found


def _folded(
    live: Sequence[FactT], at: int, fold: Fold[StateT, FactT]
) -> tuple[StateT | None, FactT | None]:
    state: StateT | None = None
    last: FactT | None = None
    for fact in live:
        if fact.effective <= at:
            before, state = state, fold(state, fact)
            last = last if state == before else fact
    return state, last


@dataclass(slots=True)
class Unit(Generic[StateT, FactT]):
    """One unit's facts and its intervals, as they were stored and as a batch changes them."""

    facts: list[FactT] = field(default_factory=list)
    known: list[KnownInterval[StateT]] = field(default_factory=list)

    def take(self, fact: FactT, fold: Fold[StateT, FactT]) -> None:
        """Add a fact; end and begin intervals at its sequence."""
        self.facts.append(fact)
        implied = intervals(self.facts, fold)
        believed = [known for known in self.known if known.known_to == FOREVER]
        kept = {known.interval for known in believed}
        for known in believed:
            if known.interval not in implied:
                known.known_to = fact.sequence
        self.known += [
            KnownInterval(interval, fact.sequence) for interval in implied if interval not in kept
        ]

    def begun(self) -> list[KnownInterval[StateT]]:
        """Intervals to insert: those a batch began, unless it ended them at the same sequence."""
        return [k for k in self.known if k.stored is None and k.known_from < k.known_to]

    def ended(self) -> list[KnownInterval[StateT]]:
        """Stored intervals whose end a batch found."""
        return [k for k in self.known if k.stored is not None and k.known_to != FOREVER]


def grouped(items: Iterable[Any], key: Callable[[Any], UUID]) -> Mapping[UUID, list[Any]]:
    """Items by unit, keeping their order."""
    found: dict[UUID, list[Any]] = {}
    for item in items:
        found.setdefault(key(item), []).append(item)
    return found
