"""Surveys under another rule: those answered more than once are folded again from their facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from crm_events.contracts.ticketing import SurveyScored
from sqlalchemy import Connection, func, select

from crm_projections.engine.view import Cut
from crm_projections.facts.cut import known_upto
from crm_projections.facts.timeline import counting
from crm_projections.views.satisfaction.facts import SatisfactionTables
from crm_projections.views.satisfaction.rule import SurveyRule
from crm_projections.views.satisfaction.states import (
    SurveyHistory,
    SurveyState,
    TicketFact,
    fold_survey,
)
from crm_projections.views.satisfaction.storage import load_facts

_AS_TAKEN = SurveyRule()


class Changed(NamedTuple):
    """A survey as it is, and as it would be."""

    live: SurveyState
    supposed: SurveyState


def changed(
    connection: Connection, tables: SatisfactionTables, cut: Cut, rule: SurveyRule
) -> Iterator[Changed]:
    """The surveys at the cut that the rule may change. One answer alone always counts."""
    if not rule.drops_answers:
        return
    upto = known_upto(cut, "ticketing")
    for facts in load_facts(connection, tables, _answered_again(connection, tables)).values():
        known = counting(fact for fact in facts if fact.sequence <= upto)
        effective = [fact for fact in known if fact.effective <= cut.as_of]
        for survey in _surveys(effective):
            live = folded(effective, survey, _AS_TAKEN)
            supposed = folded(effective, survey, rule)
            if live is not None and supposed is not None and live != supposed:
                yield Changed(live, supposed)


def _answered_again(connection: Connection, tables: SatisfactionTables) -> list[UUID]:
    """Tickets with more than one answer."""
    events = tables.events
    query = select(events.c.unit).where(events.c.type == SurveyScored.TYPE)
    return list(connection.scalars(query.group_by(events.c.unit).having(func.count() > 1)))


def _surveys(facts: Iterable[TicketFact]) -> list[UUID]:
    answers = [fact.event for fact in facts]
    return list({each.survey_id: None for each in answers if isinstance(each, SurveyScored)})


def folded(facts: Sequence[TicketFact], survey: UUID, rule: SurveyRule) -> SurveyState | None:
    """A survey after these facts, as the rule takes its answers; None before it was sent."""
    fold = fold_survey(survey)
    state: SurveyHistory | None = None
    first: int | None = None
    for fact in facts:
        if isinstance(state, SurveyState) and _answers(fact, survey):
            if first is not None and rule.drops(first, fact.effective):
                continue
            first = fact.effective if first is None else first
        state = fold(state, fact)
    return state if isinstance(state, SurveyState) else None


def _answers(fact: TicketFact, survey: UUID) -> bool:
    return isinstance(fact.event, SurveyScored) and fact.event.survey_id == survey
