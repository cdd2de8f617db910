"""Satisfaction answered from tickets and surveys at one cut of history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from crm_projections.engine.view import Answer, Cut, Definition
from crm_projections.views.satisfaction import kept
from crm_projections.views.satisfaction.counts import DATES, Standing
from crm_projections.views.satisfaction.facts import SatisfactionTables
from crm_projections.views.satisfaction.parameters import SatisfactionParameters
from crm_projections.views.satisfaction.periods import period_name
from crm_projections.views.satisfaction.rule import SurveyRule
from crm_projections.views.satisfaction.states import SurveyState
from crm_projections.views.satisfaction.supposing import changed
from crm_projections.views.satisfaction.totals import Counts, distribution, named

DEFINITION: Final = Definition("satisfaction", 3)
IN_FORCE: Final = SurveyRule()


def answer(
    connection: Connection,
    tables: SatisfactionTables,
    cut: Cut,
    parameters: SatisfactionParameters,
    rule: SurveyRule = IN_FORCE,
) -> Answer:
    """Scores and rates, whole and by group. Groups pool counts; they add up to the whole."""
    by_key = _counts(connection, tables, cut, parameters)
    for was, would_be in changed(connection, tables, cut, rule):
        _move(by_key, was, would_be, parameters)
    whole = _pooled(by_key)
    groups = _groups(by_key, parameters.by, rule) if parameters.by else None
    bounds = {"start", "end", "as_of", "known_at"}
    return Answer(
        definition=DEFINITION,
        parameters=parameters.model_dump(exclude_none=True, exclude=bounds),
        totals=named(whole, rule),
        rows=_rows(groups) if groups is not None else [_row(None, whole, rule)],
        groups=groups,
        distribution=distribution(whole),
    )


def _counts(
    connection: Connection,
    tables: SatisfactionTables,
    cut: Cut,
    parameters: SatisfactionParameters,
) -> dict[Any, Counts]:
    found: defaultdict[Any, Counts] = defaultdict(Counts)
    tickets = Standing(kept.tickets(connection, tables), cut, parameters, "opened_at")
    for key, count, resolved in tickets.resolved():
        found[key].tickets += count
        found[key].resolved += resolved
    surveys = Standing(kept.surveys(connection, tables), cut, parameters, "delivered_at")
    for key, score, count in surveys.scored():
        found[key].delivered += count
        if score is not None:
            found[key].scores[score] += count
    return found


def _move(
    by_key: dict[Any, Counts],
    was: SurveyState,
    would_be: SurveyState,
    asked: SatisfactionParameters,
) -> None:
    """Take a survey of the period out of its group, and put it in as it would be."""
    begin, end = asked.start, asked.end
    if (begin is not None and was.delivered_at < begin) or (
        end is not None and was.delivered_at >= end
    ):
        return
    for state, added in ((was, -1), (would_be, 1)):
        counts = by_key[_key_of(state, asked.by)]
        counts.delivered += added
        if state.score is not None:
            counts.scores[state.score] += added


def _key_of(state: SurveyState, by: str | None) -> Any:
    if by is None:
        return None
    return getattr(state if by in DATES else state.handling, by)


def _pooled(by_key: Mapping[Any, Counts]) -> Counts:
    whole = Counts()
    for counts in by_key.values():
        whole.tickets += counts.tickets
        whole.resolved += counts.resolved
        whole.delivered += counts.delivered
        whole.scores += counts.scores
    return whole


def _groups(by_key: Mapping[Any, Counts], by: str, rule: SurveyRule) -> list[dict[str, Any]]:
    ordered = sorted(by_key.items(), key=lambda item: (item[0] is not None, str(item[0])))
    return [
        {
            "key": _named_key(key, by),
            "totals": named(counts, rule),
            "distribution": distribution(counts),
            "rows": [_row(_named_key(key, by), counts, rule)],
        }
        for key, counts in ordered
    ]


def _named_key(key: Any, by: str) -> str | None:
    if key is None:
        return None
    return period_name(key, by) if by in DATES else str(key)


def _row(key: str | None, counts: Counts, rule: SurveyRule) -> dict[str, Any]:
    return {"key": key, **named(counts, rule), "distribution": distribution(counts)}


def _rows(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for group in groups for row in group["rows"]]
