"""The facts of a view over HTTP, for who keeps them elsewhere; and what a cut of history means."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

import orjson
from crm_events.catalogue import CONTEXTS
from crm_events.lines import MEDIA_TYPE
from crm_service.problems import RequestRefused
from crm_service.routing import Router
from fastapi import Depends, Query, Response
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel

from crm_projections.api.answering import standing
from crm_projections.api.asking import Question, asked, position_of
from crm_projections.api.schemas import DefinitionOut, Vector
from crm_projections.engine.database import Database
from crm_projections.engine.facts import CursorRefused, FactPage, Facts, facts_of
from crm_projections.engine.generation import readable
from crm_projections.engine.instants import instant
from crm_projections.engine.marks import known_at
from crm_projections.engine.parameters import ViewParameters
from crm_projections.engine.view import Projector

NEXT: Final = "Crm-Next"
_MOST: Final = 10_000
At = Annotated[list[str], Query(max_length=8, description="Position, as pipeline/*/1234")]
Generation = Annotated[int, Query(ge=1, le=2**31, description="As the list of tables tells it")]
After = Annotated[str | None, Query(max_length=500, description="Crm-Next of the page before")]
Limit = Annotated[int, Query(ge=1, le=_MOST)]


class ColumnOut(BaseModel):
    name: str
    type: str


class TableOut(BaseModel):
    name: str
    columns: list[ColumnOut]


class FactsOut(BaseModel):
    """The tables of facts of a view, and the position that all of them can be read at."""

    view: str
    definition: DefinitionOut
    generation: int
    position: Vector
    tables: list[TableOut]


class CutOut(BaseModel):
    """Instants as they were understood in the reporting time zone, and the position of what was
    known (null: all). `settled` is False where later marks may still move it."""

    start: str | None
    end: str | None
    as_of: str | None
    known_at: str | None
    position: Vector | None
    settled: bool


class FactLines(Response):
    """Rows, one line of JSON each."""

    media_type = MEDIA_TYPE


def facts_router(database: Database, views: Sequence[Projector[Any]], zone: ZoneInfo) -> Router:
    """`/v1/views/facts/<view>` and below, and `/v1/views/cut`."""
    router = Router(prefix="/v1/views", tags=["facts"])
    named = {view.definition.id: view for view in views}
    known = ", ".join(named)
    ask = asked(ViewParameters, CONTEXTS, zone)

    def view_of(name: str) -> Projector[Any]:
        if name not in named:
            raise RequestRefused("not-found", f"There is no view {name!r}; there are: {known}.")
        return named[name]

    @router.get("/cut")
    def read_cut(question: Question = Depends(ask)) -> CutOut:
        return _cut(database, question)

    @router.get("/facts/{view}")
    def list_facts(view: str) -> FactsOut:
        return _tables(database, view_of(view))

    @router.get("/facts/{view}/{table}", response_class=FactLines)
    def read_facts(
        view: str,
        table: str,
        *,
        generation: Generation,
        at: At,
        after: After = None,
        limit: Limit = 5_000,
    ) -> Response:
        """Rows known at a position, one line of JSON each, in the order of their keys. An end that
        was not known then is null. Crm-Next is the cursor of the next page."""
        found = view_of(view)
        position = position_of(at, found.contexts) or {}
        page = _page(database, found, (table, generation), position, (after, limit))
        body = b"".join(orjson.dumps(row) + b"\n" for row in page.rows)
        return FactLines(body, headers={NEXT: page.next} if page.next else {})

    return router


def _cut(database: Database, question: Question) -> CutOut:
    asked_for = question.parameters
    position, settled = question.at, True
    if asked_for.known_at is not None:
        with database.reading() as connection:
            known = known_at(connection, CONTEXTS, asked_for.known_at)
        position, settled = known.sequences, known.settled
    times = {name: getattr(asked_for, name) for name in ("start", "end", "as_of", "known_at")}
    said = {name: None if at is None else instant(at).isoformat() for name, at in times.items()}
    return CutOut(**said, position=None if position is None else dict(position), settled=settled)


def _tables(database: Database, view: Projector[Any]) -> FactsOut:
    with database.reading() as connection:
        now = standing(connection, view)
    tables = [
        TableOut(
            name=facts.name,
            columns=[ColumnOut(name=c.name, type=c.type) for c in facts.columns],
        )
        for facts in facts_of(now.opened, view.contexts)
    ]
    definition = DefinitionOut(id=view.definition.id, version=view.definition.version)
    return FactsOut(
        view=view.definition.id,
        definition=definition,
        generation=now.opened.generation.number,
        position=dict(now.position),
        tables=tables,
    )


def _page(
    database: Database,
    view: Projector[Any],
    place: tuple[str, int],
    position: Mapping[str, int],
    wanted: tuple[str | None, int],
) -> FactPage:
    table, generation = place
    with database.reading() as connection:
        opened = readable(connection, view, generation)
        if opened is None:
            detail = f"Generation {generation} of {view.definition.id} is gone; begin again."
            raise RequestRefused("generation-gone", detail)
        facts = {each.name: each for each in facts_of(opened, view.contexts)}
        if table not in facts:
            raise RequestRefused("not-found", f"There is no {table!r}; there are: {_all(facts)}.")
        try:
            return facts[table].page(connection, position, *wanted)
        except CursorRefused as refused:
            said = {"type": "value_error", "loc": ("query", "after"), "msg": str(refused)}
            raise RequestValidationError([said]) from None


def _all(facts: Mapping[str, Facts]) -> str:
    return ", ".join(facts)
