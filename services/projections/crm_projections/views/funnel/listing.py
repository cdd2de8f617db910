"""The units behind a number of the funnel, a page at a time, at any cut of history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    and_,
    func,
    literal_column,
    or_,
    select,
)

from crm_projections.engine.listing import Listing
from crm_projections.engine.parameters import ViewParameters
from crm_projections.engine.prepared import left_open
from crm_projections.engine.view import Answer, Cut
from crm_projections.facts.cut import standing_at, still_believed, within
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.parameters import By
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.funnel.queries import DEFINITION
from crm_projections.views.funnel.stages import Defined, Stages, every_version, stages_of
from crm_projections.views.funnel.standing import LEADS
from crm_projections.views.funnel.unit_rows import COLUMNS, NAMED, TOLD, place, row

_SAID_ELSEWHERE: Final = {"start", "end", "as_of", "known_at"}
_SOMEWHERE: Final = "somewhere"
_PLACE: Final = re.compile(r"^(-?[0-9]{1,19})\.([0-9a-f]{32})$")
Limit = Annotated[int, Field(ge=1, le=500, description="Units a page")]


class UnitParameters(ViewParameters):
    """Units that entered in the period, the latest first, as they stand at the cut.

    `by` with `key` takes one group of an answer that was broken down by the same; without `key`
    the group of units that have no such value.
    """

    by: By | None = None
    key: str | None = Field(None, description="Of `by`: the group's key; absent: without a value")
    pipeline: str | None = Field(
        None, description="Key of a pipeline, or `leads`; else the pipeline defined first"
    )
    state: Literal["open", "won", "lost"] | None = None
    stage: str | None = Field(None, description="Only open units that stand in this stage")
    reached: str | None = Field(None, description="Only units that came to this stage or further")
    furthest: str | None = Field(None, description="Only units that came no further than this")
    limit: Limit = 50
    cursor: str | None = Field(
        None, pattern=_PLACE.pattern, description="`next` of the page before"
    )

    @model_validator(mode="after")
    def _key_fits(self) -> Self:
        if self.key is not None and self.by is None:
            raise ValueError("name what `key` is a group of, as in by=region")
        if self.key is not None and self.by in NAMED:
            _id(self.key)
        return self


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ValueError(f"{text!r} is no id; groups of such things have one as key") from None


class UnitsView(FunnelView):
    """Deals, or leads, one by one: those behind a number of the funnel."""

    parameters: ClassVar[type[ViewParameters]] = UnitParameters

    def answer(
        self,
        connection: Connection,
        tables: FunnelTables,
        cut: Cut,
        parameters: Any,
    ) -> Answer:
        listing = self.listing(tables, self.grounds(connection, tables), cut, parameters)
        if listing is None:  # no pipeline is there: no deals
            return _answer([], None, parameters=parameters)
        found = connection.execute(listing.statement, listing.values).all()
        page = found[: listing.size]
        following = place(page[-1]) if len(found) > len(page) else None
        return listing.answer([row(unit) for unit in page], following)

    def grounds(self, connection: Connection, tables: FunnelTables) -> Sequence[Defined]:
        return every_version(connection, tables.pipelines)

    def counted(self, tables: FunnelTables) -> ColumnElement[int]:
        return select(func.count()).select_from(tables.pipelines).scalar_subquery()

    def listing(
        self, tables: FunnelTables, grounds: Sequence[Defined], cut: Cut, parameters: Any
    ) -> Listing | None:
        stages = stages_of(grounds, cut, parameters.pipeline)
        if not parameters.pipeline and stages.pipeline == LEADS:
            return None
        values, open_ = _left_open(cut, parameters)
        statement = _page(tables.standings, open_, stages, tuple(sorted(cut.known)))
        asked = parameters.model_copy(update={"pipeline": stages.pipeline})
        return Listing(
            statement, values, TOLD, parameters.limit, partial(_answer, parameters=asked)
        )


def _left_open(cut: Cut, parameters: UnitParameters) -> tuple[dict[str, Any], UnitParameters]:
    """The values that differ from page to page, and the question without them."""
    values: dict[str, Any] = {"as_of": cut.as_of}
    values |= {_upto(context): upto for context, upto in cut.known.items()}
    found = _PLACE.fullmatch(parameters.cursor or "")
    if found is not None:
        values |= {"entered": int(found[1]), "unit": UUID(found[2])}
    cursor = _SOMEWHERE if found is not None else None
    blank = {"as_of": None, "known_at": None, "cursor": cursor}
    return values, parameters.model_copy(update=blank)


def _upto(context: str) -> str:
    return f"upto_{context}"


def _answer(
    rows: Sequence[Mapping[str, Any]], following: str | None, *, parameters: UnitParameters
) -> Answer:
    return Answer(
        definition=DEFINITION,
        parameters=parameters.model_dump(exclude_none=True, exclude=_SAID_ELSEWHERE),
        totals={},
        rows=rows,
        named=NAMED,
        next=following,
    )


@lru_cache(maxsize=256)
def _page(
    t: Table, parameters: UnitParameters, stages: Stages, known: tuple[str, ...]
) -> Select[Any]:
    """One more unit than the page has, to know whether another page follows. Made once for each
    question, which takes longer than to ask it: what is left open has the names of the values."""
    values: Any = {each: left_open(each) for each in ("as_of", *map(_upto, known))}
    cut = Cut(values["as_of"], {context: values[_upto(context)] for context in known})
    return (
        select(*(t.c[name] for name in COLUMNS))
        .where(t.c.pipeline == stages.pipeline, _standing(t, cut))
        .where(*within(t.c.entered_at, parameters.start, parameters.end))
        .where(*_wanted(t.c, parameters, stages), *_behind(t.c, parameters.cursor))
        .order_by(t.c.entered_at.desc(), t.c.unit.desc())
        .limit(literal_column(str(parameters.limit + 1)))
    )


def _standing(t: Table, cut: Cut) -> ColumnElement[bool]:
    """What is believed now is found in the order of the list: SQLite would rather find all that
    stands, and sort it, if an index could be asked for `valid_to`."""
    if cut.known:
        return standing_at(t, cut)
    until = t.c.valid_to + literal_column("0")
    return and_(still_believed(t), t.c.valid_from <= cut.as_of, until > cut.as_of)


def _wanted(c: Any, parameters: UnitParameters, stages: Stages) -> Iterator[ColumnElement[bool]]:
    if parameters.state is not None:
        yield c.state == parameters.state
    if parameters.stage is not None:
        yield and_(c.stage == stages.stage(parameters.stage).key, c.state == "open")
    if parameters.reached is not None:
        yield or_(c.state == "won", _came_to(c, stages, parameters.reached))
    if parameters.furthest is not None:
        yield and_(c.state != "won", c.furthest == stages.stage(parameters.furthest).key)
    if parameters.by is not None:
        column, key = c[parameters.by], parameters.key
        yield column == (_id(key) if key is not None and parameters.by in NAMED else key)


def _came_to(c: Any, stages: Stages, key: str) -> ColumnElement[bool]:
    """A stage that the pipeline has no more counts with the rank it had."""
    rank = stages.stage(key).rank
    known = [row.key for row in stages.rows]
    beyond = [row.key for row in stages.rows if row.rank >= rank]
    return or_(c.furthest.in_(beyond), and_(c.furthest.not_in(known), c.furthest_rank >= rank))


def _behind(c: Any, cursor: str | None) -> list[ColumnElement[bool]]:
    """Said so that an index leads to the place: what lies before it is not read."""
    if cursor is None:
        return []
    entered, unit = left_open("entered", c.entered_at.type), left_open("unit", c.unit.type)
    return [c.entered_at <= entered, or_(c.entered_at < entered, c.unit < unit)]
