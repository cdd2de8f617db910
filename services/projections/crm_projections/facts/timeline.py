"""Units over two times: when something was so (valid), and which prefix of the log knew it (known).

Every unit keeps its events as facts. What follows from them is a row of intervals; each event that
arrives ends the intervals it contradicts at its own sequence and begins those it implies. Nothing
is deleted, so any (as_of, known_at) can be asked for with four comparisons.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

from crm_events.event import Event, Withdrawal

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
    def supersedes(self) -> UUID | None:
        """A withdrawal names one of the events that it undoes."""

    @property
    def event(self) -> Event: ...


FactT = TypeVar("FactT", bound=Fact)
StateT = TypeVar("StateT")
Fold = Callable[[StateT | None, FactT], StateT | None]


class Interval(NamedTuple, Generic[StateT]):
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
    live = counting(facts)
    starts = sorted({fact.effective for fact in live})
    found: list[Interval[StateT]] = []
    for index, start in enumerate(starts):
        end = starts[index + 1] if index + 1 < len(starts) else FOREVER
        state, last = _folded(live, start, fold)
        if state is not None and last is not None:
            found.append(Interval(start, end, last.event_id, state))
    return found


def counting(facts: Iterable[FactT]) -> list[FactT]:
    """Those that were neither corrected nor withdrawn, in order of version."""
    facts = list(facts)
    superseded = {fact.supersedes for fact in facts}
    withdrawn = {version for fact in facts for version in withdrawn_by(fact.event)}
    live = (
        fact
        for fact in facts
        if fact.event_id not in superseded
        and fact.version not in withdrawn
        and not isinstance(fact.event, Withdrawal)
    )
    return sorted(live, key=lambda fact: fact.version)


def withdrawn_by(event: Event) -> tuple[int, ...]:
    """The versions of a unit's events that an event of it undoes."""
    return event.versions if isinstance(event, Withdrawal) else ()


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
        latest = self._latest_before(fact)
        self.facts.append(fact)
        state = None if latest is None else fold(latest.interval.state, fact)
        if latest is None or state is None:
            self._believe(intervals(self.facts, fold), fact.sequence)
        else:
            self._go_on(latest, fact, state)

    def _latest_before(self, fact: FactT) -> KnownInterval[StateT] | None:
        """What a fact goes on from that comes after all others and corrects none, as most do."""
        if fact.supersedes is not None:
            return None
        for other in self.facts:
            if other.version >= fact.version or other.effective > fact.effective:
                return None
        open_ended = (k for k in self.known if k.interval.valid_to == k.known_to == FOREVER)
        return next(open_ended, None)

    def _go_on(self, latest: KnownInterval[StateT], fact: FactT, state: StateT) -> None:
        """What `intervals` would say of such a fact, without folding all the others again."""
        before = latest.interval
        event_id = before.event_id if state == before.state else fact.event_id
        after = Interval(fact.effective, FOREVER, event_id, state)
        if after == before:
            return
        latest.known_to = fact.sequence
        if fact.effective > before.valid_from:
            past = Interval(before.valid_from, fact.effective, before.event_id, before.state)
            self.known.append(KnownInterval(past, fact.sequence))
        self.known.append(KnownInterval(after, fact.sequence))

    def _believe(self, implied: Sequence[Interval[StateT]], sequence: int) -> None:
        believed = [known for known in self.known if known.known_to == FOREVER]
        kept = {known.interval for known in believed}
        for known in believed:
            if known.interval not in implied:
                known.known_to = sequence
        self.known += [
            KnownInterval(interval, sequence) for interval in implied if interval not in kept
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
