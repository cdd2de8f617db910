"""What can be undone in a context: a kind of thing, and the event that withdraws what was said."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Generic, TypeVar

import orjson
from crm_events.domain import Aggregate
from crm_events.envelope import Envelope
from crm_events.event import Event, Withdrawal
from crm_events.upcasting import UPCASTS

A = TypeVar("A", bound=Aggregate)
Restate = Callable[[A, A, datetime], None]
"""Given the thing, itself as it was before, and a time: says the record of then once more."""


@dataclass(frozen=True, slots=True)
class Undoable(Generic[A]):
    """One kind of thing, and its events that may come first in a stream.

    Whose readers know no more than the last whole record needs `restate`; a kind with `name_of` is
    found by its name, under its own.
    """

    kind: str
    aggregate: type[A]
    begins: type[Event]
    withdrawal: type[Withdrawal]
    restate: Restate[A] | None = None
    facts_of: Callable[[A], Any] | None = None
    name_of: Callable[[A], str | None] | None = None


class Undoables:
    """All kinds of one context, found by the stored type of a stream's first event."""

    def __init__(self, kinds: Iterable[Undoable[Any]]) -> None:
        by_first = {each.begins.TYPE: each for each in kinds}
        old = {name: by_first.get(_newest(name)) for name in UPCASTS}
        self._by_first: Mapping[str, Undoable[Any]] = {
            **{name: each for name, each in old.items() if each is not None},
            **by_first,
        }
        self.withdrawals = frozenset(each.withdrawal.TYPE for each in by_first.values())

    def of(self, stream: Sequence[Envelope]) -> Undoable[Any] | None:
        return self._by_first.get(stream[0].type)

    def withdrawn(self, stream: Iterable[Envelope]) -> Iterator[int]:
        """The versions that are undone already; withdrawals hold nothing sealed."""
        for envelope in stream:
            if envelope.type in self.withdrawals:
                yield from orjson.loads(envelope.data)["versions"]


def _newest(name: str) -> str:
    while name in UPCASTS:
        name = UPCASTS[name][0]
    return name


def record(
    kind: str,
    aggregate: type[Any],
    begins: type[Event],
    changed: type[Event],
    withdrawal: type[Withdrawal],
    *,
    named: bool = True,
) -> Undoable[Any]:
    """A kind whose `facts` are its whole record, field by field as `changed` states them."""

    def restate(thing: Any, was: Any, at: datetime) -> None:
        told = {field.name: getattr(was.facts, field.name) for field in fields(was.facts)}
        thing.record(changed(**told), at=at)

    return Undoable(
        kind,
        aggregate,
        begins,
        withdrawal,
        restate,
        facts_of=lambda thing: thing.facts,
        name_of=(lambda thing: thing.facts.name) if named else None,
    )
