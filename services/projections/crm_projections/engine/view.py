"""What the engine asks of a view, and what a query of a view is given and answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar

from crm_events.envelope import Envelope
from crm_events.event import Event
from sqlalchemy import Connection, MetaData

from crm_projections.engine.parameters import ViewParameters

TablesT = TypeVar("TablesT")


class Received(NamedTuple):
    """One event as a view takes it: decoded to its newest shape, with its envelope."""

    envelope: Envelope
    event: Event


received: Final[Callable[[tuple[Envelope, Event]], Received]] = partial(tuple.__new__, Received)
"""One of a pair, made without a call of Python for every event."""


@dataclass(frozen=True, slots=True)
class Definition:
    """The permanent name of what a view computes. A changed meaning, or other contents of its
    tables, is a new version: the view is then rebuilt. What a `personal` one keeps is readable, so
    nothing of it is left lying about unfinished."""

    id: str
    version: int
    personal: bool = False


@dataclass(frozen=True, slots=True)
class Cut:
    """Which history a query sees.

    `as_of`: effective instant in microseconds since the epoch, UTC; later effects are not seen.
    `known`: for each context the recorded sequence up to which events are seen; a context that is
    absent is seen whole.
    """

    as_of: int
    known: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a view answers, in the names of the metric definitions (ratios 0 to 1, unrounded).

    `named` are the columns of rows with ids of things that have a name, with the kind of each;
    `next` is the cursor of the next page, where there is one.
    """

    definition: Definition
    parameters: Mapping[str, Any]
    totals: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    groups: Sequence[Mapping[str, Any]] | None = None
    excluded: Mapping[str, int] = field(default_factory=dict)
    distribution: Mapping[str, int] | None = None
    named: Mapping[str, str] = field(default_factory=dict)
    next: str | None = None


class Projector(Protocol, Generic[TablesT]):
    """What is kept up to date from events: the facts, and how events become facts."""

    @property
    def definition(self) -> Definition: ...
    @property
    def contexts(self) -> tuple[str, ...]: ...
    @property
    def handles(self) -> frozenset[type[Event]]: ...

    def tables(self, metadata: MetaData, suffix: str) -> TablesT:
        """The view's tables for one generation; every table name ends in `suffix`."""

    def apply(self, connection: Connection, tables: TablesT, batch: Sequence[Received]) -> None:
        """Write the facts of a batch inside the caller's transaction.

        Events of one aggregate come in order of version, each once. Between aggregates there is no
        order. Only events of `handles` are given. An exception parks the aggregate that caused it.
        """


class View(Projector[TablesT], Protocol, Generic[TablesT]):
    """One question a screen asks: the facts it keeps, how events become facts, how they answer.

    Views are facts first: rows carry effective time and recorded sequence, so that any past state
    can be asked for. A view never reads the clock and never deletes a fact.
    """

    @property
    def parameters(self) -> type[ViewParameters]: ...

    def answer(self, connection: Connection, tables: TablesT, cut: Cut, parameters: Any) -> Answer:
        """What the view says at a cut, asked with an instance of `parameters`."""
