"""Satisfaction under another rule is that of a history without the answers it leaves out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from crm_events.contracts.ticketing import SurveyScored
from crm_events.event import Staff
from crm_projections.engine.view import Answer, Cut
from crm_projections.facts.instants import DAY, micros
from crm_projections.views.satisfaction.projector import SatisfactionView
from crm_projections.views.satisfaction.rule import SurveyRule
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.viewing import UTC_EURO, Told, Viewing
from tests.views.satisfaction import test_satisfaction as tickets
from tests.views.test_two_times import BEGIN, DAYS, Log, Step, steps, ticket_step

AGENTS = (tickets.DAN, tickets.BECKY)
ASKED: tuple[dict[str, Any], ...] = (
    {},
    {"start": "2026-03-02", "end": "2026-03-05"},
    {"by": "agent"},
    {"by": "week"},
)


def suppose(viewing: Viewing, rule: SurveyRule, cut: Cut, **asked: Any) -> Answer:
    parameters = viewing.view.parameters.model_validate(asked)
    with viewing.engine.connect() as connection:
        view: Any = viewing.view
        found: Answer = view.suppose(connection, viewing.tables, cut, parameters, rule)
        return found


def live(viewing: Viewing, cut: Cut, **asked: Any) -> Answer:
    parameters = viewing.view.parameters.model_validate(asked)
    with viewing.engine.connect() as connection:
        return viewing.view.answer(connection, viewing.tables, cut, parameters)


def figures(answer: Answer) -> tuple[Any, ...]:
    """Groups in which nothing is left are not told apart from those that never were."""
    groups = [g for g in answer.groups or () if g["totals"]["surveys_delivered"]]
    return answer.totals, answer.distribution, groups


def tickets_told(history: Sequence[Step]) -> Log:
    log = Log(Viewing(SatisfactionView(UTC_EURO)))
    told: set[int] = set()
    for number, step in enumerate(history):
        unit, when = f"ticket{step.unit}", BEGIN + timedelta(days=step.day)
        if step.unit not in told:
            told.add(step.unit)
            log.tell(step, tickets.opened(unit, when))
        log.tell(step, ticket_step(step, number))
    log.flush(5)
    return log


CUTS = st.builds(
    lambda day, known: Cut(micros(BEGIN + timedelta(days=day)), {"ticketing": known}),
    st.integers(0, DAYS),
    st.integers(1, 20),
)


@settings(max_examples=30, deadline=None)
@given(steps(["resolve", "send", "score"]), CUTS)
def test_a_rule_that_changes_nothing_changes_nothing(history: list[Step], cut: Cut) -> None:
    viewing = tickets_told(history).viewing
    for rule in (SurveyRule(), SurveyRule(lock_days=3650)):
        for asked in ASKED:
            assert suppose(viewing, rule, cut, **asked) == live(viewing, cut, **asked)


RULES = st.one_of(
    st.just(SurveyRule(answer="first")),
    st.builds(lambda days: SurveyRule(lock_days=days), st.integers(0, 5)),
)


def answer_of(unit: str, score: int, agent: Staff, when: Any) -> Told:
    told = tickets.scored(unit, score, when)
    return Told(unit, told.event.model_copy(update={"agent": agent}), when)


def kept(history: Sequence[Told], rule: SurveyRule) -> list[Told]:
    """Without the answers that a rule leaves out, told plainly."""
    first: dict[str, int] = {}
    found = []
    for told in history:
        if isinstance(told.event, SurveyScored):
            known = told.unit in first
            since = micros(told.when) - first.setdefault(told.unit, micros(told.when))
            late = rule.lock_days is not None and since >= rule.lock_days * DAY
            if known and (rule.answer == "first" or late):
                continue
        found.append(told)
    return found


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5), st.sampled_from(AGENTS)), max_size=14),
    RULES,
    st.integers(0, 16),
)
def test_answers_that_a_rule_leaves_out_might_never_have_come(
    answers: list[tuple[int, int, Staff]], rule: SurveyRule, day: int
) -> None:
    told = [
        event
        for unit in ("t0", "t1", "t2")
        for event in (tickets.opened(unit, BEGIN), tickets.sent(unit, BEGIN))
    ]
    for number, (unit, score, agent) in enumerate(answers, start=1):
        told.append(answer_of(f"t{unit}", score, agent, BEGIN + timedelta(days=number)))
    viewing, without = Viewing(SatisfactionView(UTC_EURO)), Viewing(SatisfactionView(UTC_EURO))
    viewing.tell(*told, batch=5)
    without.tell(*kept(told, rule), batch=5)
    cut = Cut(micros(BEGIN + timedelta(days=day)))
    for asked in ASKED:
        supposed, plain = suppose(viewing, rule, cut, **asked), live(without, cut, **asked)
        assert figures(supposed) == figures(plain)


def test_another_threshold_counts_other_scores() -> None:
    viewing = Viewing(SatisfactionView(UTC_EURO))
    tickets.rate(viewing, {1: 10, 2: 15, 3: 25, 4: 30, 5: 20})
    cut = Cut(micros(BEGIN))
    totals = suppose(viewing, SurveyRule(satisfied_from=5, dissatisfied_upto=3), cut).totals
    assert (totals["top2_box"], totals["bottom2_box"], totals["mean"]) == (0.2, 0.5, 3.35)
    assert suppose(viewing, SurveyRule(satisfied_from=3), cut).totals["top2_box"] == 0.75


def test_the_first_answer_keeps_its_credit() -> None:
    viewing = Viewing(SatisfactionView(UTC_EURO))
    viewing.tell(tickets.opened("t", BEGIN), tickets.sent("t", BEGIN))
    viewing.tell(answer_of("t", 1, tickets.DAN, BEGIN + timedelta(days=1)))
    viewing.tell(answer_of("t", 5, tickets.BECKY, BEGIN + timedelta(days=2)))
    cut = Cut(micros(BEGIN + timedelta(days=3)))
    answer = suppose(viewing, SurveyRule(answer="first"), cut, by="agent")
    assert answer.totals["mean"] == 1.0
    means = {group["key"]: group["totals"]["mean"] for group in answer.groups or ()}
    assert means[str(tickets.DAN.id)] == 1.0


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"satisfied_from": 6}, "less than or equal to 5"),
        ({"satisfied_from": 0}, "greater than or equal to 1"),
        ({"satisfied_from": 2}, "must be below satisfied_from"),
        ({"answer": "best"}, "'last' or 'first'"),
        ({"lock_days": -1}, "greater than or equal to 0"),
        ({"sla_hours": 4}, "there is no sla_hours; there are: satisfied_from, dissatisfied_upto"),
    ],
)
def test_a_rule_that_cannot_be_is_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        SurveyRule.model_validate(given)
