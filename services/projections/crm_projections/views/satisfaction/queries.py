"""Satisfaction answered from tickets and surveys at one cut of history."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection

from crm_projections.engine.view import Answer, Cut, Definition
from crm_projections.facts.instants import day_date, month_name
from crm_projections.views.satisfaction import kept
from crm_projections.views.satisfaction.counts import Standing
from crm_projections.views.satisfaction.facts import SatisfactionTables
from crm_projections.views.satisfaction.parameters import SatisfactionParameters
from crm_projections.views.satisfaction.totals import Counts, distribution, named

DEFINITION: Final = Definition("satisfaction", 3)


def answer(
    connection: Connection,
    tables: SatisfactionTables,
    cut: Cut,
    parameters: SatisfactionParameters,
) -> Answer:
    """Scores and rates, whole and by group. Groups pool counts; they add up to the whole."""
    by_key = _counts(connection, tables, cut, parameters)
    whole = _pooled(by_key)
    groups = _groups(by_key, parameters.by) if parameters.by else None
    bounds = {"start", "end", "as_of", "known_at"}
    return Answer(
        definition=DEFINITION,
        parameters=parameters.model_dump(exclude_none=True, exclude=bounds),
        totals=named(whole),
        rows=_rows(groups) if groups is not None else [_row(None, whole)],
        groups=groups,
        distribution=distribution(whole),
    )


def _counts(
    connection: Connection,
    tables: SatisfactionTables,
    cut: Cut,
    parameters: SatisfactionParameters,
) -> Mapping[Any, Counts]:
    found: dict[Any, Counts] = defaultdict(Counts)
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


def _pooled(by_key: Mapping[Any, Counts]) -> Counts:
    whole = Counts()
    for counts in by_key.values():
        whole.tickets += counts.tickets
        whole.resolved += counts.resolved
        whole.delivered += counts.delivered
        whole.scores += counts.scores
    return whole


def _groups(by_key: Mapping[Any, Counts], by: str) -> list[dict[str, Any]]:
    ordered = sorted(by_key.items(), key=lambda item: (item[0] is not None, str(item[0])))
    return [
        {
            "key": _named_key(key, by),
            "totals": named(counts),
            "distribution": distribution(counts),
            "rows": [_row(_named_key(key, by), counts)],
        }
        for key, counts in ordered
    ]


def _named_key(key: Any, by: str) -> str | None:
    """Weeks are named by their ISO week, months as 2021-01."""
    if key is None:
        return None
    if by == "week":
        year, week, _ = day_date(key).isocalendar()
        return f"{year}-W{week:02d}"
    return month_name(key) if by == "month" else str(key)


def _row(key: str | None, counts: Counts) -> dict[str, Any]:
    return {"key": key, **named(counts), "distribution": distribution(counts)}


def _rows(groups: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for group in groups for row in group["rows"]]
