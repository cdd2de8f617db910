"""Pages of lists by one statement each; whatever that does not suit is left to `Answering`."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

import psycopg

from crm_projections.api.answer_json import defined, figures_of, instants, named_rows, standing_json
from crm_projections.api.asking import Question
from crm_projections.engine.database import Database
from crm_projections.engine.generation import find_all_live, open_generation
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Clock
from crm_projections.engine.listing import Listed, Premise, Sight, sighted, whose
from crm_projections.engine.marks import Known
from crm_projections.engine.view import Answer, Cut
from crm_projections.views.names.projector import NamesView
from crm_projections.views.names.queries import asking_for

_GONE: Final = (psycopg.errors.UndefinedTable, sqlite3.OperationalError)
"""What asking for tables of a generation that was dropped ends with."""


class Paging:
    """Thread-safe; blocking."""

    def __init__(self, database: Database, names: NamesView, clock: Clock) -> None:
        self._database = database
        self._names = names
        self._clock = clock
        self._premises: dict[str, Premise] = {}

    def page(self, view: Listed[Any], question: Question) -> dict[str, Any] | None:
        """The JSON of a page; None where it is to be asked for otherwise. Raises Unreachable and
        what the view's own query raises."""
        if question.parameters.known_at is not None:
            return None
        premise = self._premises.get(view.definition.id)
        if premise is not None:
            with suppress(*_GONE):
                if (found := self._page(view, question, premise)) is not None:
                    return found
        self._look(view)
        return None

    def _look(self, view: Listed[Any]) -> None:
        """Remember what is so, for the next page."""
        with self._database.reading() as connection:
            live, names = find_all_live(connection, (view, self._names))
            if live is None:
                return
            opened = open_generation(view, live)
            grounds = view.grounds(connection, opened.tables)
        self._premises[view.definition.id] = Premise(
            opened,
            open_generation(self._names, names) if names is not None else None,
            grounds,
            view.counted(opened.tables),
        )

    def _page(
        self, view: Listed[Any], question: Question, premise: Premise
    ) -> dict[str, Any] | None:
        parameters, at = question.parameters, question.at
        as_of = micros(self._clock()) if parameters.as_of is None else parameters.as_of
        cut = Cut(as_of, at or {})
        listing = view.listing(premise.opened.tables, premise.grounds, cut, parameters)
        if listing is None:
            return None
        statement = sighted(listing.statement, premise.counted)
        values = {**listing.values, **whose(premise.opened.generation)}
        rows = self._database.ask(statement, values)
        sight = Sight.of(rows)
        if sight is None or not sight.bears_out(premise, (view, self._names)):
            return None
        foot = standing_json(sight.progress_of(view), Known(at, settled=True) if at else None)
        answer = listing.answer(rows)
        figures = figures_of(answer, self._named(answer, premise), None)
        return {**defined(answer, instants(parameters, as_of)), **foot, **figures}

    def _named(self, answer: Answer, premise: Premise) -> list[dict[str, Any]]:
        """Names as they are now, which may be a moment after the page: none is shown that was
        blanked before."""
        ids = {str(id): id for row in answer.rows for c in answer.named if (id := row[c])}
        names: Mapping[Any, str] = {}
        if ids and premise.names is not None:
            asked = asking_for(premise.names.tables, list(ids), self._database.on_server)
            names = {ids[id]: name for id, name in self._database.ask(*asked)}
        return named_rows(answer, names)
