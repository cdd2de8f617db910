"""Satisfaction's definitions, on histories small enough to check by hand."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from crm_events.contracts.ticketing import (
    SurveyScored,
    SurveySent,
    TicketAmended,
    TicketAssigned,
    TicketOpened,
    TicketResolved,
)
from crm_events.event import Staff
from crm_projections.views.satisfaction.projector import SatisfactionView

from tests.support.viewing import UTC_EURO, Told, Viewing, at, identity

JAN4 = at("2021-01-04T09:00")
BECKY, DAN = (Staff(id=identity(name), team=name[0]) for name in ("becky", "dan"))


def opened(ticket: str, when: datetime = JAN4, category: str = "billing") -> Told:
    return Told(ticket, TicketOpened(category=category, channel="phone"), when)


def assigned(ticket: str, agent: Staff, when: datetime = JAN4) -> Told:
    return Told(ticket, TicketAssigned(agent=agent), when)


def resolved(ticket: str, agent: Staff, when: datetime = JAN4, cycle: int = 1) -> Told:
    return Told(ticket, TicketResolved(cycle=cycle, agent=agent), when)


def sent(ticket: str, when: datetime = JAN4, cycle: int = 1) -> Told:
    survey = identity(f"{ticket}#{cycle}")
    return Told(ticket, SurveySent(survey_id=survey, cycle=cycle, channel="phone"), when)


def scored(ticket: str, score: int, when: datetime = JAN4, cycle: int = 1) -> Told:
    survey = identity(f"{ticket}#{cycle}")
    return Told(ticket, SurveyScored(survey_id=survey, cycle=cycle, score=score), when)


@pytest.fixture
def satisfaction() -> Viewing:
    return Viewing(SatisfactionView(UTC_EURO))


def rate(viewing: Viewing, counts: dict[int, int]) -> None:
    for score, number in counts.items():
        for index in range(number):
            name = f"{score}-{index}"
            viewing.tell(opened(name), sent(name), scored(name, score))


def test_top_two_box_of_a_known_distribution(satisfaction: Viewing) -> None:
    rate(satisfaction, {1: 10, 2: 15, 3: 25, 4: 30, 5: 20})
    answer = satisfaction.ask()
    assert answer.totals["top2_box"] == 0.5
    assert answer.totals["bottom2_box"] == 0.25
    assert answer.distribution == {"1": 10, "2": 15, "3": 25, "4": 30, "5": 20}


def test_unanswered_surveys_lower_the_response_rate_only(satisfaction: Viewing) -> None:
    satisfaction.tell(opened("a"), sent("a"), scored("a", 5), opened("b"), sent("b"))
    totals = satisfaction.ask().totals
    assert (totals["surveys_delivered"], totals["responses"]) == (2, 1)
    assert (totals["response_rate"], totals["mean"]) == (0.5, 5.0)


def test_last_answer_before_the_lock_counts(satisfaction: Viewing) -> None:
    satisfaction.tell(opened("a"), sent("a"), scored("a", 1))
    satisfaction.tell(scored("a", 5, JAN4 + timedelta(days=2)))
    assert satisfaction.ask().totals["mean"] == 5.0
    assert satisfaction.ask(as_of="2021-01-05").totals["mean"] == 1.0


def test_credit_goes_to_who_resolved_the_cycle(satisfaction: Viewing) -> None:
    satisfaction.tell(opened("a"), assigned("a", BECKY), resolved("a", DAN), sent("a"))
    satisfaction.tell(scored("a", 4), assigned("a", BECKY, JAN4 + timedelta(days=1)))
    groups = satisfaction.ask(by="agent").groups or []
    by_agent = {group["key"]: group["totals"]["responses"] for group in groups}
    assert by_agent == {str(DAN.id): 1, str(BECKY.id): 0}


def test_survey_on_an_unresolved_ticket_credits_its_handler(satisfaction: Viewing) -> None:
    satisfaction.tell(
        opened("a"), assigned("a", BECKY), sent("a", cycle=0), scored("a", 2, cycle=0)
    )
    groups = satisfaction.ask(by="team").groups or []
    assert [(group["key"], group["totals"]["mean"]) for group in groups] == [("b", 2.0)]


def test_each_resolution_cycle_has_its_own_survey(satisfaction: Viewing) -> None:
    satisfaction.tell(opened("a"), resolved("a", DAN), sent("a"), scored("a", 1))
    satisfaction.tell(resolved("a", DAN, cycle=2), sent("a", cycle=2), scored("a", 5, cycle=2))
    totals = satisfaction.ask().totals
    assert (totals["tickets"], totals["surveys_delivered"], totals["mean"]) == (1, 2, 3.0)
    assert totals["survey_coverage"] == 1.0


def test_weeks_and_months_take_their_names_from_the_calendar(satisfaction: Viewing) -> None:
    satisfaction.tell(opened("a", at("2021-01-01")), opened("b", JAN4))
    weeks = satisfaction.ask(by="week").groups or []
    assert [group["key"] for group in weeks] == ["2020-W53", "2021-W01"]
    months = satisfaction.ask(by="month").groups or []
    assert [(g["key"], g["totals"]["tickets"]) for g in months] == [("2021-01", 2)]


def test_correction_of_the_category_keeps_what_was_published(satisfaction: Viewing) -> None:
    satisfaction.tell(opened("a"))
    published = dict(satisfaction.sequences)
    satisfaction.tell(Told("a", TicketAmended(category="technical", channel="phone"), JAN4))
    now = satisfaction.ask(by="category").groups or []
    then = satisfaction.ask(by="category", known=published).groups or []
    assert [group["key"] for group in now] == ["technical"]
    assert [group["key"] for group in then] == ["billing"]


def test_period_takes_tickets_by_opening_and_surveys_by_delivery(satisfaction: Viewing) -> None:
    satisfaction.tell(opened("a", at("2021-01-01")), sent("a", at("2021-02-01")))
    january = satisfaction.ask(start="2021-01-01", end="2021-02-01").totals
    assert (january["tickets"], january["surveys_delivered"]) == (1, 0)


def test_no_answers_give_null_rates(satisfaction: Viewing) -> None:
    totals = satisfaction.ask().totals
    assert (totals["mean"], totals["top2_box"], totals["top2_box_low"]) == (None, None, None)


@pytest.mark.parametrize("batch", [1, 3, 100])
def test_batches_of_any_size_leave_the_same_rows(batch: int) -> None:
    viewing = Viewing(SatisfactionView(UTC_EURO))
    tellings = [t for n in range(9) for t in (opened(f"t{n}"), assigned(f"t{n}", BECKY))]
    tellings += [t for n in range(9) for t in (sent(f"t{n}"), scored(f"t{n}", n % 5 + 1))]
    viewing.tell(*tellings, batch=batch)
    assert viewing.ask().distribution == {"1": 2, "2": 2, "3": 2, "4": 2, "5": 1}
    assert viewing.ask(known={"ticketing": 20}).totals["responses"] == 1
