"""What one attempt of a command has before it: things as they are kept, or as they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TypeVar, cast
from uuid import UUID

from crm_events.catalogue import CATALOGUE
from crm_events.domain import Aggregate
from crm_events.event import Withdrawal
from crm_events.kept import Kept, Thing
from crm_events.store.granted import IdentifiedEvent, LastEvent
from crm_events.store.mapper import ChangeStore

T = TypeVar("T", bound=Aggregate)
_Stored = Sequence[IdentifiedEvent]


@dataclass(slots=True)
class Attempt:
    """The things that one attempt has. With `doubted`, the last events of what was kept, everything
    is read from the store."""

    doubted: Mapping[UUID, UUID] | None = None
    things: list[Thing] = field(default_factory=list)
    granted: dict[UUID, UUID] = field(default_factory=dict)
    """The last events of the things that were kept and are not read again."""

    def rests_on(self) -> tuple[LastEvent, ...]:
        return tuple(LastEvent(id, event) for id, event in self.granted.items())


class Attempts:
    """Loads things for commands, each of which has a context of its own. Thread-safe."""

    def __init__(self, events: ChangeStore, kept: Kept) -> None:
        self._events = events
        self._kept = kept
        self._here: ContextVar[Attempt | None] = ContextVar("attempt", default=None)

    @contextmanager
    def one(self, doubted: Mapping[UUID, UUID] | None = None) -> Iterator[Attempt]:
        attempt = Attempt(doubted)
        before = self._here.set(attempt)
        try:
            yield attempt
        finally:
            self._here.reset(before)

    def load(self, kind: type[T], id: UUID) -> T | None:
        """One aggregate; None where there is no such thing of this kind."""
        attempt = self._here.get()
        if attempt is None:
            return self._read(kind, id)[0]
        if attempt.doubted is None and (thing := self._kept.take(kind, id)) is not None:
            attempt.things.append(thing)
            attempt.granted[id] = thing.last
            return cast(T, thing.aggregate)
        aggregate, stored = self._read(kind, id)
        if aggregate is not None:
            self._has(attempt, Thing.of(aggregate, stored))
        return aggregate

    def keep(self, attempt: Attempt, aggregates: Iterable[Aggregate], stored: _Stored) -> None:
        """The attempt was saved: what it has is the newest there is, for whoever comes next."""
        saved: dict[UUID, list[IdentifiedEvent]] = {}
        for event in stored:
            saved.setdefault(cast(UUID, event.originator_id), []).append(event)
        for thing in attempt.things:
            later = saved.get(thing.aggregate.id)
            if _is_left_at(thing.aggregate, later):
                self._kept.put(thing if later is None else thing.followed_by(later))
        for aggregate in aggregates:
            events = saved.get(aggregate.id)
            if events is not None and len(events) == aggregate.version:
                self._kept.put(Thing.of(aggregate, events))  # begun by this command

    def _read(self, kind: type[T], id: UUID) -> tuple[T | None, _Stored]:
        stored = cast(_Stored, self._events.recorder.select_events(id))
        changes = self._events.changes(stored)
        if not changes or not kind.begins_with(changes[0]):
            return None, ()
        return kind.from_history(id, changes), stored

    def _has(self, attempt: Attempt, thing: Thing) -> None:
        """What went on although it was kept is another process's, too."""
        id = thing.aggregate.id
        if attempt.doubted is not None and attempt.doubted.get(id, thing.last) != thing.last:
            self._kept.leave(id)
        else:
            attempt.things.append(thing)


def _is_left_at(aggregate: Aggregate, later: _Stored | None) -> bool:
    """Whether nothing is pending, and it is this copy of it whose events were saved, if any. What a
    withdrawal leaves shows in a thing that is made of its history only."""
    if aggregate.pending or later is None:
        return not aggregate.pending
    withdrawn = any(issubclass(CATALOGUE[event.topic], Withdrawal) for event in later)
    return not withdrawn and later[-1].originator_version == aggregate.version
