"""The units behind a number of the funnel, a page at a time, at any cut of history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from operator import attrgetter
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from uuid import UUID

from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, Connection, Select, and_, or_, select
from sqlalchemy import Row as SqlRow

from crm_projections.engine.instants import instant
from crm_projections.engine.parameters import ViewParameters
from crm_projections.engine.view import Answer, Cut
from crm_projections.facts.amounts import money
from crm_projections.facts.cut import standing_at, within
from crm_projections.views.funnel.facts import FunnelTables
from crm_projections.views.funnel.parameters import By
from crm_projections.views.funnel.projector import FunnelView
from crm_projections.views.funnel.stages import Stages, stages_at
from crm_projections.views.funnel.standing import LEADS

NAMED: Final = ("owner", "manager", "product", "campaign")
"""Columns with ids of things that have a name."""
_PLAIN: Final = ("team", "region", "source", "sector")
_GROUPS: Final = (*NAMED, *_PLAIN)
_groups: Final = attrgetter(*_GROUPS)
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
        stages = stages_at(connection, tables, cut, parameters.pipeline)
        found: Sequence[SqlRow[Any]] = ()
        if parameters.pipeline or stages.pipeline != LEADS:  # else no pipeline is there: no deals
            found = connection.execute(_page(tables, cut, parameters, stages)).all()
            parameters = parameters.model_copy(update={"pipeline": stages.pipeline})
        page = found[: parameters.limit]
        said = parameters.model_dump(
            exclude_none=True, exclude={"start", "end", "as_of", "known_at"}
        )
        return Answer(
            definition=self.definition,
            parameters=said,
            totals={},
            rows=[_row(unit) for unit in page],
            named=NAMED,
            next=_place(page[-1]) if len(found) > parameters.limit else None,
        )


def _page(
    tables: FunnelTables, cut: Cut, parameters: UnitParameters, stages: Stages
) -> Select[Any]:
    """One more unit than the page has, to know whether another page follows."""
    t = tables.standings
    return (
        select(t)
        .where(t.c.pipeline == stages.pipeline, standing_at(t, cut))
        .where(*within(t.c.entered_at, parameters.start, parameters.end))
        .where(*_wanted(t.c, parameters, stages), *_behind(t.c, parameters.cursor))
        .order_by(t.c.entered_at.desc(), t.c.unit.desc())
        .limit(parameters.limit + 1)
    )


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
    found = _PLACE.fullmatch(cursor or "")
    if found is None:
        return []
    entered, unit = int(found[1]), UUID(found[2])
    return [or_(c.entered_at < entered, and_(c.entered_at == entered, c.unit < unit))]


def _place(unit: SqlRow[Any]) -> str:
    return f"{unit.entered_at}.{unit.unit.hex}"


def _row(unit: SqlRow[Any]) -> Mapping[str, Any]:
    """Absent values are left out of no row: a table has the same columns for all."""
    return {
        "id": unit.unit,
        "state": unit.state,
        "stage": unit.stage,
        "stage_name": unit.stage_name,
        "since": instant(unit.valid_from),
        "entered_at": instant(unit.entered_at),
        "amount": money(unit.amount, unit.currency or ""),
        **dict(zip(_GROUPS, _groups(unit), strict=True)),
        "event_id": unit.event_id,
    }
