"""Pages of lists by one statement each; whatever that does not suit is left to `Answering`."""

from __future__ import annotations

import sqlite3
from contextlib import suppress
from functools import partial
from typing import Any, Final

import psycopg
from orjson import Fragment

from crm_projections.api.answer_json import defined, figures_of, instants, standing_json
from crm_projections.api.asking import Question
from crm_projections.engine.database import Database
from crm_projections.engine.generation import find_all_live, open_generation
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Clock
from crm_projections.engine.listing import Listed, Premise, Sight, sighted, whose
from crm_projections.engine.marks import Known
from crm_projections.engine.view import Cut
from crm_projections.views.names.projector import NamesView
from crm_projections.views.names.queries import name_json

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
        known = open_generation(self._names, names) if names is not None else None
        named = partial(name_json, known.tables if known is not None else None)
        self._premises[view.definition.id] = Premise(
            opened, known, grounds, view.counted(opened.tables), named
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
        statement = sighted(listing.statement, listing.told, premise.named, premise.counted)
        values = {**listing.values, **whose(premise.opened.generation)}
        sight = Sight(*self._database.ask(statement, values)[0])
        if sight.rows is None or not sight.bears_out(premise, (view, self._names)):
            return None
        foot = standing_json(sight.progress_of(view), Known(at, settled=True) if at else None)
        rows, following = sight.page(listing.size)
        answer = listing.answer((), following)
        figures = figures_of(answer, Fragment(rows))
        return {**defined(answer, instants(parameters, as_of)), **foot, **figures}
