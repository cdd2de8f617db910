"""A page of a list by one statement, which also says where its view stood as it was read.

One statement sees one state of everything, so a list needs no transaction around it. What it is
made from (which generation is live, facts that it has to know) is remembered from the time before;
it says what is so now, and where that differs, what it answered counts for nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from crm_events.partitions import PARTITIONS
from sqlalchemy import ColumnElement, Connection, Select, Text, cast, func, literal, select

from crm_projections.engine.generation import Opened, definition_number
from crm_projections.engine.position import Generation, Progress
from crm_projections.engine.prepared import left_open
from crm_projections.engine.sql_json import Json
from crm_projections.engine.tables import GENERATIONS, POSITIONS
from crm_projections.engine.view import Answer, Cut, Projector, View

TablesT = TypeVar("TablesT")
Grounds = Sequence[Any]
Named = Callable[[str, ColumnElement[Any]], Json]
"""The name of the thing of a kind that has an id, as JSON."""


class Told(NamedTuple):
    """What is said of the columns of a page: each row, and the cursor of what comes after it."""

    row: Callable[[Any, Named], Json]
    place: Callable[[Any], ColumnElement[str]]


@dataclass(frozen=True, slots=True)
class Listing:
    """A page as it is to be asked for: `size` rows, and one more where another page follows.
    `answer` makes of a page's rows and the cursor of the next page what the view answers."""

    statement: Select[Any]
    values: Mapping[str, Any]
    told: Told
    size: int
    answer: Callable[[Sequence[Mapping[str, Any]], str | None], Answer]


class Listed(View[TablesT], Protocol):
    """A view of single things, which can be asked by one statement."""

    def grounds(self, connection: Connection, tables: TablesT) -> Grounds:
        """The facts that a statement is made from. They are only added to."""

    def counted(self, tables: TablesT) -> ColumnElement[int]:
        """A column that counts them."""

    def listing(
        self, tables: TablesT, grounds: Grounds, cut: Cut, parameters: Any
    ) -> Listing | None:
        """None where there is nothing to list. Raises what `answer` does."""


@dataclass(frozen=True, slots=True)
class Premise:
    """What statements about a list are made from: its view, and the one that knows names."""

    opened: Opened[Any]
    names: Opened[Any] | None
    grounds: Grounds
    counted: ColumnElement[int]
    named: Named


class Sight(NamedTuple):
    """What a statement said: rows as JSON and their places, both None where there is none, and
    what is so beside them."""

    rows: str | None
    places: str | None
    live: str | None
    progress: str | None
    grounds: int

    def page(self, size: int) -> tuple[bytes, str | None]:
        """As many rows as a page has, and the cursor of the next page."""
        rows = (self.rows or "").split(_LINE)
        following = (self.places or "").split(_NEXT)[size - 1] if len(rows) > size else None
        return f"[{','.join(rows[:size])}]".encode(), following

    def bears_out(self, premise: Premise, views: Sequence[Projector[Any]]) -> bool:
        """Whether what was taken for granted of these views was so."""
        live = dict(each.split(_BETWEEN, 1) for each in (self.live or "").split())
        opened = (premise.opened, premise.names)
        wanted = [_lived(view, each) for view, each in zip(views, opened, strict=True)]
        found = [live.get(view.definition.id) for view in views]
        return found == wanted and self.grounds == len(premise.grounds)

    def progress_of(self, view: Projector[Any]) -> Progress:
        """How far the view had come."""
        position, parked, moving = dict.fromkeys(view.contexts, 0), 0, False
        for told in (self.progress or "").split():
            context, *numbers = told.split(_BETWEEN)
            lanes, complete, sequence, left = map(int, numbers)
            position[context] = complete if lanes == PARTITIONS else 0
            parked += left
            moving = moving or sequence > position[context]
        return Progress(position, parked, moving)


def _lived(view: Projector[Any], opened: Opened[Any] | None) -> str | None:
    if opened is None:
        return None
    return f"{opened.generation.number}{_BETWEEN}{definition_number(view)}"


@lru_cache(maxsize=256)
def sighted(
    page: Select[Any], told: Told, named: Named, grounds: ColumnElement[int]
) -> Select[Any]:
    """The statement that answers Sight of a page. It leaves open the values of `whose` too;
    `grounds` counts facts. A line ends where JSON cannot have one."""
    c = page.subquery("page").c
    rows = func.aggregate_strings(told.row(c, named), _LINE)
    return select(rows, func.aggregate_strings(told.place(c), _NEXT), _LIVE, _PROGRESS, grounds)


def whose(generation: Generation) -> dict[str, Any]:
    """The values by which a statement finds where a generation stands."""
    return {"sighted_view": generation.view, "sighted_generation": generation.number}


_NEXT: Final = " "
_LINE: Final = "\n"
_BETWEEN: Final = "/"


def _told(*columns: ColumnElement[Any]) -> ColumnElement[str]:
    """Values of one row, which have none of the signs between them in them, as one text."""
    told: ColumnElement[str]
    told, *others = (cast(column, Text) for column in columns)
    for other in others:
        told = told + literal(_BETWEEN, literal_execute=True) + other
    return told


_LIVE: Final = (
    select(
        func.aggregate_strings(
            _told(GENERATIONS.c.view, GENERATIONS.c.generation, GENERATIONS.c.definition_version),
            _NEXT,
        )
    )
    .where(GENERATIONS.c.status == literal("live", literal_execute=True))
    .scalar_subquery()
    .label("sighted_live")
)
_OF_CONTEXT: Final = (
    select(
        _told(
            POSITIONS.c.context,
            func.count(),
            func.min(POSITIONS.c.complete_to),
            func.max(POSITIONS.c.sequence),
            func.sum(POSITIONS.c.parked),
        ).label("told")
    )
    .where(
        POSITIONS.c.view == left_open("sighted_view"),
        POSITIONS.c.generation == left_open("sighted_generation"),
    )
    .group_by(POSITIONS.c.context)
    .subquery()
)
_PROGRESS: Final = (
    select(func.aggregate_strings(_OF_CONTEXT.c.told, _NEXT))
    .scalar_subquery()
    .label("sighted_progress")
)
