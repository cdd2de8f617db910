"""given(events).when(command).then(events | error), on an aggregate alone: no store, no clock.

    given(Lead, captured()).when(lambda lead: lead.qualify(at=NOW)).then(LeadQualified())

Times are left out of the comparison unless `then` is followed by `.at(...)`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import pytest
from crm_events.domain import Aggregate, Change, DomainError
from crm_events.event import Event

A = TypeVar("A", bound=Aggregate)
NOW: Final = datetime(2026, 3, 14, 9, 30, tzinfo=UTC)
ID: Final = UUID("018f3a52-0000-7000-8000-000000000001")
"""The id of the aggregate that a scenario is about."""


def given(kind: type[A], *events: Event, id: UUID = ID) -> Scenario[A]:
    """An aggregate as these events left it; none means that there is no such thing yet."""
    return Scenario(kind, events, id)


@dataclass(frozen=True)
class Scenario(Generic[A]):
    """What has happened so far."""

    kind: type[A]
    events: Sequence[Event]
    id: UUID

    def aggregate(self) -> A:
        changes = [Change(self.id, n, event) for n, event in enumerate(self.events, 1)]
        return self.kind.from_history(self.id, changes)

    def when(self, decide: Callable[[A], Any]) -> Decision[A]:
        """Decide once; a second time on a fresh copy must decide the same."""
        first, refused = _decided(self.aggregate(), decide)
        second, refused_again = _decided(self.aggregate(), decide)
        assert [c.body for c in first.pending] == [c.body for c in second.pending]
        assert type(refused) is type(refused_again)
        return Decision(self, first, refused)


@dataclass(frozen=True)
class Decision(Generic[A]):
    """What was decided, or why it was refused."""

    scenario: Scenario[A]
    aggregate: A
    refused: DomainError | None

    def then(self, *expected: Event | type[DomainError]) -> Decision[A]:
        """Exactly these events, in order, or this refusal with nothing recorded."""
        if expected and isinstance(expected[0], type):
            assert isinstance(self.refused, expected[0]), self._told()
            assert not self.aggregate.pending, "it was refused and recorded all the same"
            return self
        if self.refused is not None:
            pytest.fail(self._told())
        assert [change.body for change in self.aggregate.pending] == list(expected)
        self._replays()
        return self

    def at(self, *times: datetime) -> Decision[A]:
        """The effective times of the events, in order."""
        assert [change.occurred_at for change in self.aggregate.pending] == list(times)
        return self

    def _told(self) -> str:
        if self.refused is None:
            return f"decided {[change.body for change in self.aggregate.pending]}"
        return f"refused with {type(self.refused).__name__}: {self.refused}"

    def _replays(self) -> None:
        """Whoever loads the aggregate later finds it as the decision left it."""
        history = self.scenario.aggregate()
        for change in self.aggregate.pending:
            history.apply(change)
        assert _state(history) == _state(self.aggregate)


def _decided(aggregate: A, decide: Callable[[A], Any]) -> tuple[A, DomainError | None]:
    try:
        decide(aggregate)
    except DomainError as error:
        return aggregate, error
    return aggregate, None


def _state(aggregate: Aggregate) -> dict[str, Any]:
    return {name: value for name, value in vars(aggregate).items() if name != "_pending"}
