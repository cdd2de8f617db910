"""What an aggregate is: decisions made on the state its events left behind.

A subclass decides in public methods, which may refuse, and assigns in methods marked `@applies`,
which never do: replay must not fail on a rule that came later.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar, Self, TypeVar
from uuid import UUID

from crm_events.event import Event, Withdrawal

E = TypeVar("E", bound=Event)
A = TypeVar("A", bound="Aggregate")


class DomainError(Exception):
    """A decision was refused. `slug` names the reason for good; the message says what to do."""

    slug: ClassVar[str] = "refused"


@dataclass(frozen=True, slots=True)
class Change:
    """One decided event with the place it takes: what `eventsourcing` stores and loads."""

    originator_id: UUID
    originator_version: int
    body: Event
    occurred_at: datetime | None = None
    supersedes: UUID | None = None
    cause: object = None
    """Why it happened, where one save carries changes of several commands."""


def withdrawn_in(history: Iterable[Change]) -> set[int]:
    """The versions that the withdrawals among these changes have undone."""
    bodies = (change.body for change in history)
    return {version for b in bodies if isinstance(b, Withdrawal) for version in b.versions}


def applies(event_type: type[E]) -> Callable[[Callable[[A, E], None]], Callable[[A, E], None]]:
    """Marks the method that assigns what an event of this type changed."""

    def mark(method: Callable[[A, E], None]) -> Callable[[A, E], None]:
        method.__dict__.setdefault("_applies", []).append(event_type)
        return method

    return mark


class Aggregate:
    """The boundary of one decision: an id, a version, and the events not yet saved."""

    _appliers: ClassVar[dict[type[Event], Callable[[Any, Any], None]]] = {}

    def __init__(self, id: UUID) -> None:
        self.id = id
        self.version = 0
        self.begun = False
        """Whether anything that was said of it still counts."""
        self._pending: list[Change] = []

    def __init_subclass__(cls, **kwargs: object) -> None:
        """Raises TypeError where two methods apply one event: only one of them would run."""
        super().__init_subclass__(**kwargs)
        own: dict[type[Event], Callable[[Any, Any], None]] = {}
        for method in vars(cls).values():
            for event_type in getattr(method, "_applies", ()):
                if event_type in own:
                    raise TypeError(f"{cls.__name__} applies {event_type.__name__} twice.")
                own[event_type] = method
        cls._appliers = cls._appliers | own

    def record(self, body: Event, *, at: datetime, supersedes: UUID | None = None) -> None:
        """Take a decided event: effective `at`, applied at once, saved later."""
        change = Change(self.id, self.version + 1, body, at, supersedes)
        self.apply(change)
        self._pending.append(change)

    def apply(self, change: Change) -> None:
        """Assign what the event changed and move to its version.

        A withdrawal shows in the state only when the aggregate is made of its history again.
        """
        body = change.body
        applier = self._appliers.get(type(body))
        if applier is not None:
            applier(self, body)
        self.begun = not (isinstance(body, Withdrawal) and body.gone)
        self.version = change.originator_version

    def collect_events(self) -> Sequence[Change]:
        """The pending events, handed over once."""
        pending, self._pending = self._pending, []
        return pending

    def attribute(self, cause: object) -> None:
        """Name the cause of the pending changes that have none yet."""
        self._pending = [
            c if c.cause is not None else replace(c, cause=cause) for c in self._pending
        ]

    @property
    def pending(self) -> tuple[Change, ...]:
        """The events decided and not yet saved."""
        return tuple(self._pending)

    @classmethod
    def begins_with(cls, change: Change) -> bool:
        """Whether this is the first event of such a thing: one of another kind has another id.

        So every aggregate applies the event it begins with.
        """
        return type(change.body) in cls._appliers

    @classmethod
    def from_history(
        cls, id: UUID, changes: Iterable[Change], pending: Sequence[Change] = ()
    ) -> Self:
        """The aggregate as its events left it; version 0 when there are none.

        `pending` are decided after those and not yet saved.
        """
        aggregate, history = cls(id), (*changes, *pending)
        withdrawn = withdrawn_in(history)
        for change in history:
            if change.originator_version in withdrawn:
                aggregate.version = change.originator_version
            else:
                aggregate.apply(change)
        aggregate._pending = list(pending)
        return aggregate
