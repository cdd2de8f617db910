"""What stands behind a number of a view: the events that made it, each with what it added."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

from sqlalchemy import Connection

from crm_projections.engine.view import Cut, View

TablesT = TypeVar("TablesT")
Unit = Literal["count", "money"]


class Cause(NamedTuple):
    """An event, and what it added to a figure: things, or ten-thousandths of a currency unit."""

    event_id: UUID
    type: str
    context: str
    aggregate_id: UUID
    sequence: int
    effective: int
    added: int


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of an answer, as its `totals` name it, or as the row of a stage, of a cohort and
    offset, or of a score does."""

    name: str
    row: str | None = None
    offset: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """A figure at one cut and at another, and the events in between.

    `causes` add up to `after - before`, exactly: no event is missing, none is there twice, and
    events that took back what others had added are among them.
    """

    figure: Figure
    before: int
    after: int
    unit: Unit
    causes: Sequence[Cause]


class UnknownFigure(Exception):
    """The view has no such figure, or none that events add up to; the text lists those it has."""


class Summed(Protocol):
    """A figure that events add up to."""

    def between(self, connection: Connection, before: Cut, after: Cut) -> Evidence:
        """From one cut to another: first what became known of the first instant, then what took
        effect between the instants, as known at the second cut."""

    def behind(self, connection: Connection, cut: Cut) -> Evidence:
        """The events behind a figure: of each thing that counts, those that made it count as it
        does, from its beginning on. `before` is 0."""


class Sums(Protocol):
    """Of one question to a view, the numbers that can be opened."""

    @property
    def inputs(self) -> Mapping[str, Sequence[str]]:
        """Of each other number, the names of the sums that it is worked out from."""

    def all(self) -> Sequence[Figure]:
        """The figures that are sums, of an answer to this question."""

    def summed(self, figure: Figure) -> Summed:
        """Raises UnknownFigure."""


class Evident(View[TablesT], Protocol[TablesT]):
    """A view whose numbers can be opened."""

    def sums(self, connection: Connection, tables: TablesT, cut: Cut, parameters: Any, /) -> Sums:
        """`parameters` are the view's own, with `key`: the group of `by` that is meant. `cut` says
        which version of its definitions (such as a pipeline's stages) counts."""
