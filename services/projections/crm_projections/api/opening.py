"""Numbers opened: the events behind one, and those that lie between two cuts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, Final

from pydantic import Field, create_model
from sqlalchemy import Connection

from crm_projections.api.answering import Standing, known_of, standing
from crm_projections.api.asking import Question, position_of
from crm_projections.api.derived import derived
from crm_projections.columns.store import ColumnStore
from crm_projections.engine.database import Database
from crm_projections.engine.evidence import (
    Cause,
    Evidence,
    Evident,
    Figure,
    Sums,
    Unit,
    UnknownFigure,
)
from crm_projections.engine.instants import instant, micros
from crm_projections.engine.intake import Clock
from crm_projections.engine.parameters import End, ViewParameters
from crm_projections.engine.view import Cut
from crm_projections.facts.amounts import amount_text

MOST_EVENTS: Final = 10_000


def why_parameters(model: type[ViewParameters]) -> type[ViewParameters]:
    """A view's own parameters, and which of its numbers is meant."""
    return create_model(
        f"{model.__name__}OfWhy",
        __base__=model,
        figure=(str, Field(description="Name of a figure: won, revenue, tickets, reached ...")),
        row=(str | None, Field(None, description="Its row: a stage, a score, a cohort: 2026-01")),
        offset=(int | None, Field(None, ge=0, description="Of a cohort: intervals since")),
        key=(str | None, Field(None, description="Of `by`: the group; absent: without a value")),
        limit=(int, Field(500, ge=0, le=MOST_EVENTS, description="Events that are told at most")),
    )


def diff_parameters(model: type[ViewParameters]) -> type[ViewParameters]:
    """A view's own parameters for the later cut, and the earlier one."""
    return create_model(
        f"{model.__name__}OfDiff",
        __base__=model,
        as_of_before=(End | None, Field(None, description="As it was then; default: as `as_of`")),
        known_at_before=(
            End | None,
            Field(None, description="As it was known then; default: as `known_at`"),
        ),
        at_before=(
            str | None,
            Field(None, description="As at this position then: pipeline/*/12,contacts/*/8"),
        ),
        key=(str | None, Field(None, description="Of `by`: the group; absent: without a value")),
        row=(str | None, Field(None, description="Only figures of this row: a stage, a cohort")),
        offset=(int | None, Field(None, ge=0, description="Of a cohort: intervals since")),
        events=(bool, Field(False, description="Tell the events that make the differences")),
        limit=(int, Field(500, ge=0, le=MOST_EVENTS, description="Events that are told at most")),
    )


class Opening:
    """Opens numbers, each from one snapshot. Thread-safe; blocking."""

    def __init__(self, database: Database, columns: ColumnStore, clock: Clock) -> None:
        self._database = database
        self._columns = columns
        self._clock = clock

    def why(self, view: Evident[Any], question: Question) -> dict[str, Any]:
        """The events behind one number. Raises UnknownFigure."""
        asked = question.parameters
        with self._database.reading() as connection:
            connection.execution_options(crm_columns=self._columns)
            now, cut = standing(connection, view), self._cut(connection, view, question)
            sums = view.sums(connection, now.opened.tables, cut, asked)
            evidence = sums.summed(_figure(sums, asked)).behind(connection, cut)
        return {
            **_said(view, now, cut),
            **_figure_json(evidence.figure),
            "value": _amount(evidence.after, evidence.unit),
            "events": [_cause(each, evidence.unit) for each in evidence.causes[: asked.limit]],
            "events_in_all": len(evidence.causes),
        }

    def diff(self, view: Evident[Any], question: Question) -> dict[str, Any]:
        """Every sum at both cuts, what is worked out from them, and the events between them."""
        asked = question.parameters
        with self._database.reading() as connection:
            connection.execution_options(crm_columns=self._columns)
            now, after = standing(connection, view), self._cut(connection, view, question)
            before = self._before(connection, view, question, after)
            sums = view.sums(connection, now.opened.tables, after, asked)
            found = [
                sums.summed(figure).between(connection, before, after)
                for figure in _chosen(sums, asked)
            ]
            then, at = (
                view.answer(connection, now.opened.tables, cut, asked) for cut in (before, after)
            )
        return {
            **_said(view, now, after),
            "before": _cut_json(before),
            "figures": [_difference(each) for each in found],
            "derived": derived(sums.inputs, then, at, asked.key),
            "inputs": {name: list(of) for name, of in sums.inputs.items()},
            **(_events(found, asked.limit) if asked.events else {}),
        }

    def _cut(self, connection: Connection, view: Evident[Any], question: Question) -> Cut:
        as_of = question.parameters.as_of
        known = known_of(connection, view, question)
        at = micros(self._clock()) if as_of is None else as_of
        return Cut(at, known.sequences if known is not None else {})

    def _before(
        self, connection: Connection, view: Evident[Any], question: Question, after: Cut
    ) -> Cut:
        asked = question.parameters
        as_of = after.as_of if asked.as_of_before is None else asked.as_of_before
        if asked.known_at_before is None and asked.at_before is None:
            return Cut(as_of, after.known)
        at = position_of(_listed(asked.at_before), view.contexts, name="at_before")
        earlier = asked.model_copy(update={"known_at": asked.known_at_before})
        then = known_of(connection, view, Question(earlier, at, (), 0.0))
        return Cut(as_of, then.sequences if then is not None else {})


def _listed(positions: str | None) -> list[str]:
    return [text for text in (positions or "").split(",") if text.strip()]


def _figure(sums: Sums, asked: Any) -> Figure:
    """The row may be named in any case, for it is a name that people gave."""
    for figure in sums.all():
        same = figure.name == asked.figure and _same(figure.row, asked.row)
        if same and figure.offset == asked.offset:
            return figure
    return Figure(asked.figure, asked.row, asked.offset)


def _chosen(sums: Sums, asked: Any) -> Sequence[Figure]:
    """All of them, or those of one row. Raises UnknownFigure."""
    every = sums.all()
    if asked.row is None and asked.offset is None:
        return every
    chosen = [f for f in every if _same(f.row, asked.row) and f.offset == asked.offset]
    if not chosen:
        rows = ", ".join(dict.fromkeys(f.row for f in every if f.row is not None))
        raise UnknownFigure(f"No figure has the row {asked.row!r}; there are: {rows or 'none'}.")
    return chosen


def _same(row: str | None, asked: str | None) -> bool:
    return row == asked or (row is not None and row.casefold() == (asked or "").casefold())


def _said(view: Evident[Any], now: Standing, cut: Cut) -> dict[str, Any]:
    definition = view.definition
    return {
        "definition": {"id": definition.id, "version": definition.version},
        "position": now.position,
        **_cut_json(cut),
    }


def _cut_json(cut: Cut) -> dict[str, Any]:
    at = None
    with suppress(OverflowError):
        at = instant(cut.as_of).isoformat()
    return {"as_of": at, "known": dict(cut.known) or None}


def _figure_json(figure: Figure) -> dict[str, Any]:
    places = {"row": figure.row, "offset": figure.offset}
    return {"figure": figure.name, **{name: at for name, at in places.items() if at is not None}}


def _amount(value: int, unit: Unit) -> int | str | None:
    """Money as a decimal string, in the currency that was asked for."""
    return value if unit == "count" else amount_text(value)


def _difference(evidence: Evidence) -> dict[str, Any]:
    before, after, unit = evidence.before, evidence.after, evidence.unit
    return {
        **_figure_json(evidence.figure),
        "before": _amount(before, unit),
        "after": _amount(after, unit),
        "difference": _amount(after - before, unit),
        "events": len(evidence.causes),
    }


def _cause(cause: Cause, unit: Unit) -> dict[str, Any]:
    return {**_event(cause), "added": _amount(cause.added, unit)}


def _event(cause: Cause) -> dict[str, Any]:
    return {
        "id": str(cause.event_id),
        "type": cause.type,
        "context": cause.context,
        "aggregate_id": str(cause.aggregate_id),
        "sequence": cause.sequence,
        "effective": instant(cause.effective).isoformat(),
    }


def _events(found: Sequence[Evidence], limit: int) -> Mapping[str, Any]:
    """Each event once, with what it added to every figure."""
    told: dict[Any, dict[str, Any]] = {}
    for evidence in found:
        for cause in evidence.causes:
            event = told.setdefault(cause.event_id, {**_event(cause), "added": []})
            added = _amount(cause.added, evidence.unit)
            event["added"].append({**_figure_json(evidence.figure), "added": added})
    ordered = sorted(told.values(), key=lambda event: (event["effective"], event["sequence"]))
    return {"events": ordered[:limit], "events_in_all": len(ordered)}
