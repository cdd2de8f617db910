"""An answer with all that is needed to cite it: definition, parameters, position and cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from crm_events.feed.port import Lane
from crm_events.feed.store import lanes_of
from crm_service.problems import RequestRefused
from sqlalchemy import Connection

from crm_projections.api.answer_json import (
    defined,
    figures_of,
    instants,
    named_rows,
    standing_json,
    uncitable,
)
from crm_projections.api.asking import Question
from crm_projections.api.comparing import side_by_side
from crm_projections.columns.store import ColumnStore
from crm_projections.engine.database import Database
from crm_projections.engine.generation import (
    NothingLive,
    Opened,
    find_all_live,
    find_live,
    open_generation,
)
from crm_projections.engine.instants import micros
from crm_projections.engine.intake import Clock
from crm_projections.engine.marks import Known, known_at
from crm_projections.engine.position import (
    Generation,
    LaneState,
    Progress,
    load_states,
    progress_of,
)
from crm_projections.engine.supposing import Policy, Supposable
from crm_projections.engine.view import Answer, Cut, Projector, View
from crm_projections.views.names.facts import KINDS
from crm_projections.views.names.projector import NamesView
from crm_projections.views.names.queries import names_of

States = Mapping[Lane, LaneState]


@dataclass(frozen=True, slots=True)
class Standing:
    """A view's live tables and rows of position, as one snapshot of the database shows them."""

    opened: Opened[Any]
    states: States
    progress: Progress

    @property
    def position(self) -> Mapping[str, int]:
        return self.progress.position


def standing(connection: Connection, view: Projector[Any]) -> Standing:
    """Raises NothingLive and OutdatedView."""
    return _standing(connection, view, find_live(connection, view))


def _standing(
    connection: Connection, view: Projector[Any], generation: Generation | None
) -> Standing:
    if generation is None:
        raise NothingLive(view.definition.id)
    states = load_states(connection, generation)
    progress = progress_of(states, lanes_of(view.contexts))
    return Standing(open_generation(view, generation), states, progress)


@dataclass(frozen=True, slots=True)
class Looked:
    """An answer with what it was asked with, in the words of the API, and why it may change."""

    answer: Answer
    asked: Mapping[str, Any]
    position: Mapping[str, int]
    not_citable: Sequence[str]


class Answering:
    """Answers questions from one snapshot each. Thread-safe; blocking. `columns` are those that
    others read too."""

    def __init__(
        self,
        database: Database,
        names: NamesView,
        clock: Clock,
        columns: ColumnStore | None = None,
    ) -> None:
        self._database = database
        self._names = names
        self._clock = clock
        self._columns = columns or ColumnStore(database.beside)

    def states(self, view: Projector[Any]) -> States:
        with self._database.reading() as connection:
            return standing(connection, view).states

    def position(self, view: Projector[Any]) -> Mapping[str, int]:
        with self._database.reading() as connection:
            return standing(connection, view).position

    def answer(self, view: View[Any], question: Question) -> dict[str, Any]:
        """The JSON of an answer. Raises what `standing` and the view's own query raise."""
        return self._answers(view, question, (view.answer,))[0]

    def what_if(self, view: Supposable[Any], question: Question, policy: Policy) -> dict[str, Any]:
        """The answer as it is and under a policy, of one snapshot, and every figure of both.
        Raises PolicyRefused too."""
        asks = (view.answer, partial(view.suppose, policy=policy))
        live, supposed = self._answers(view, question, asks)
        differences = side_by_side(live, supposed)
        return {"live": live, "what_if": supposed, "differences": differences}

    def _answers(
        self, view: View[Any], question: Question, asks: Sequence[Callable[..., Answer]]
    ) -> list[dict[str, Any]]:
        parameters = question.parameters
        as_of = micros(self._clock()) if parameters.as_of is None else parameters.as_of
        with self._database.reading() as connection:
            live, names = find_all_live(connection, (view, self._names))
            now = _standing(connection, view, live)
            known = known_of(connection, view, question)
            connection.execution_options(crm_columns=self._columns)
            cut = Cut(as_of, known.sequences if known is not None else {})
            head, foot = instants(parameters, as_of), standing_json(now.progress, known)
            answers = [ask(connection, now.opened.tables, cut, parameters) for ask in asks]
            return [
                {**defined(each, head), **foot, **self._figures(connection, names, each)}
                for each in answers
            ]

    def _figures(
        self, connection: Connection, names: Generation | None, answer: Answer
    ) -> dict[str, Any]:
        groups = self._with_names(connection, names, answer.groups)
        return figures_of(answer, self._rows_with_names(connection, names, answer), groups)

    def look(self, view: View[Any], question: Question) -> Looked:
        """A view's answer with ids only, at a position: the one asked about, else how far the view
        has come. Raises what `standing` and the view's own query raise."""
        parameters = question.parameters
        as_of = micros(self._clock()) if parameters.as_of is None else parameters.as_of
        with self._database.reading() as connection:
            now = standing(connection, view)
            known = known_of(connection, view, question) or Known(now.position, settled=True)
            connection.execution_options(crm_columns=self._columns)
            cut = Cut(as_of, known.sequences)
            answer = view.answer(connection, now.opened.tables, cut, parameters)
        given = parameters.model_dump(mode="json", by_alias=True, exclude_none=True)
        said = {**given, **instants(parameters, as_of)}
        said.pop("known_at", None)  # it has become the position
        return Looked(answer, said, known.sequences, uncitable(now.progress, known))

    def _with_names(
        self,
        connection: Connection,
        live: Generation | None,
        groups: Sequence[Mapping[str, Any]] | None,
    ) -> list[dict[str, Any]] | None:
        if groups is None:
            return None
        names = self._look_up(connection, live, (group["key"] for group in groups))
        return [{"key": group["key"], "name": names.get(group["key"]), **group} for group in groups]

    def _rows_with_names(
        self, connection: Connection, live: Generation | None, answer: Answer
    ) -> Sequence[Mapping[str, Any]]:
        if not answer.named:
            return answer.rows
        names = {}
        for kind in set(answer.named.values()):
            columns = [column for column, its in answer.named.items() if its == kind]
            ids = {row[column] for row in answer.rows for column in columns}
            names[kind] = self._look_up(connection, live, ids, (kind,))
        return named_rows(answer, names)

    def _look_up(
        self,
        connection: Connection,
        live: Generation | None,
        keys: Iterable[Any],
        kinds: Sequence[str] = KINDS,
    ) -> dict[Any, str | None]:
        """Ids by the names view's live generation; what is no id is its own name."""
        given = [key for key in keys if key is not None]
        ids = {key: str(key) for key in given if isinstance(key, UUID) or _is_id(key)}
        known: Mapping[str, str] = {}
        if ids and live is not None:
            table = open_generation(self._names, live).tables
            known = names_of(connection, table, list(ids.values()), kinds)
        return {key: known.get(ids[key]) if key in ids else key for key in given}


def known_of(connection: Connection, view: View[Any], question: Question) -> Known | None:
    """The prefix of each log that is asked about; None for all that the view knows."""
    at = question.parameters.known_at
    if question.at is not None and at is not None:
        detail = "Name either known_at or at, not both."
        raise RequestRefused("malformed-request", detail)
    if question.at is not None:
        return Known(question.at, settled=True)
    return known_at(connection, view.contexts, at) if at is not None else None


def _is_id(key: str) -> bool:
    try:
        return str(UUID(key)) == key
    except ValueError:
        return False
