from datetime import timedelta

import pytest
from crm_events.contracts.ticketing import TicketClosed, TicketReopened
from crm_events.event import Event
from crm_ticketing.domain.concern import TicketNotReady
from crm_ticketing.domain.survey import (
    ScoreRefused,
    SurveyAnswered,
    SurveyLocked,
    SurveyMissed,
    SurveyPending,
    SurveyRepeated,
    SurveyUnknown,
)
from crm_ticketing.domain.ticket import Ticket

from tests.support.decisions import NOW, given
from tests.ticketing.telling import (
    DUE,
    FORTNIGHT,
    MEI,
    SURVEY,
    TOM,
    assigned,
    opened,
    resolved,
    scored,
    sent,
    timed_out,
)

RESOLVED: tuple[Event, ...] = (opened(), assigned(TOM), resolved(1, TOM))
ASKED = (*RESOLVED, sent())


def test_each_resolution_is_surveyed() -> None:
    given(Ticket, *RESOLVED).when(lambda t: t.send_survey(SURVEY, 1, due_at=DUE, at=NOW)).then(
        sent()
    )


def test_a_resolution_is_surveyed_once() -> None:
    given(Ticket, *ASKED).when(lambda t: t.send_survey(SURVEY, 1, due_at=DUE, at=NOW)).then(
        SurveyRepeated
    )


@pytest.mark.parametrize(
    "later",
    [(TicketReopened(),), (TicketReopened(), resolved(2)), (TicketClosed(),)],
    ids=["reopened", "resolved again", "closed"],
)
def test_a_resolution_that_is_over_is_not_surveyed(later: tuple[Event, ...]) -> None:
    refusal = SurveyRepeated if resolved(2) in later else TicketNotReady
    given(Ticket, *RESOLVED, *later).when(
        lambda t: t.send_survey(SURVEY, 1, due_at=DUE, at=NOW)
    ).then(refusal)


def test_an_unresolved_ticket_may_be_rated_too() -> None:
    given(Ticket, opened(), assigned(MEI)).when(
        lambda t: t.send_survey(SURVEY, 0, due_at=None, at=NOW)
    ).then(sent(0, due_at=None))
    asked = (opened(), assigned(MEI), sent(0, due_at=None))
    given(Ticket, *asked).when(
        lambda t: t.score_survey(SURVEY, 2, locks_after=FORTNIGHT, at=NOW)
    ).then(scored(2, cycle=0, agent=MEI))


def test_the_resolver_gets_the_credit_not_the_last_handler() -> None:
    before = (*ASKED, TicketReopened(), assigned(MEI), resolved(2, MEI))
    given(Ticket, *before).when(
        lambda t: t.score_survey(SURVEY, 4, "thanks", locks_after=FORTNIGHT, at=NOW)
    ).then(scored(4, agent=TOM, comment="thanks"))


@pytest.mark.parametrize("score", [0, 6, -1])
def test_a_score_is_one_to_five(score: int) -> None:
    given(Ticket, *ASKED).when(
        lambda t: t.score_survey(SURVEY, score, locks_after=None, at=NOW)
    ).then(ScoreRefused)


def test_a_later_answer_counts_until_the_lock() -> None:
    answered = (*ASKED, scored(2, agent=TOM))
    just_before = NOW + FORTNIGHT - timedelta(seconds=1)
    again = given(Ticket, *answered).when(
        lambda t: t.score_survey(SURVEY, 5, locks_after=FORTNIGHT, at=just_before)
    )
    again.then(scored(5, agent=TOM)).at(just_before)
    given(Ticket, *answered).when(
        lambda t: t.score_survey(SURVEY, 5, locks_after=FORTNIGHT, at=NOW + FORTNIGHT)
    ).then(SurveyLocked)


def test_a_survey_that_timed_out_takes_no_answer() -> None:
    given(Ticket, *ASKED, timed_out()).when(
        lambda t: t.score_survey(SURVEY, 5, locks_after=None, at=NOW)
    ).then(SurveyMissed)


def test_only_a_survey_that_waits_times_out() -> None:
    given(Ticket, *ASKED).when(lambda t: t.time_out_survey(SURVEY, at=DUE)).then(timed_out()).at(
        DUE
    )
    for end in (scored(), timed_out()):
        given(Ticket, *ASKED, end).when(lambda t: t.time_out_survey(SURVEY, at=DUE)).then(
            SurveyAnswered
        )


def test_a_survey_must_have_been_sent() -> None:
    given(Ticket, *RESOLVED).when(
        lambda t: t.score_survey(SURVEY, 5, locks_after=None, at=NOW)
    ).then(SurveyUnknown)
    given(Ticket, *RESOLVED).when(lambda t: t.time_out_survey(SURVEY, at=NOW)).then(SurveyUnknown)


@pytest.mark.parametrize("end", [scored(1), timed_out()], ids=["answered", "timed out"])
def test_a_ticket_closes_after_its_survey(end: Event) -> None:
    given(Ticket, *ASKED, end).when(lambda t: t.close(at=NOW)).then(TicketClosed())


@pytest.mark.parametrize("events", [RESOLVED, ASKED], ids=["about to be asked", "asked"])
def test_a_ticket_waits_for_its_survey(events: tuple[Event, ...]) -> None:
    given(Ticket, *events).when(lambda t: t.close(at=NOW)).then(SurveyPending)


def test_the_answer_of_an_earlier_cycle_is_not_enough() -> None:
    before = (*ASKED, scored(), TicketReopened(), resolved(2))
    given(Ticket, *before).when(lambda t: t.close(at=NOW)).then(SurveyPending)


def test_without_a_customer_there_is_nobody_to_ask() -> None:
    before = (opened(customer_id=None), resolved())
    given(Ticket, *before).when(lambda t: t.close(at=NOW)).then(TicketClosed())
