"""What the tests of ticketing tell their stories with."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from crm_events.contracts.ticketing import (
    SurveyScored,
    SurveySent,
    SurveyTimedOut,
    TicketAssigned,
    TicketOpened,
    TicketResolved,
)
from crm_events.event import Staff

from tests.support.decisions import NOW

CUSTOMER, SURVEY = UUID(int=21), UUID(int=22)
MEI = Staff(id=UUID(int=5), team="North", manager_id=UUID(int=7), region="Asia")
TOM = Staff(id=UUID(int=6), team="South", region="Europe")
FORTNIGHT = timedelta(days=14)
DUE = NOW + timedelta(hours=72)


def opened(**facts: Any) -> TicketOpened:
    said: dict[str, Any] = {"customer_id": CUSTOMER, "category": "billing", "channel": "web"}
    return TicketOpened(**said | facts)


def assigned(agent: Staff = MEI, rules_version: int | None = None) -> TicketAssigned:
    return TicketAssigned(agent=agent, rules_version=rules_version)


def resolved(cycle: int = 1, agent: Staff | None = None, **facts: Any) -> TicketResolved:
    return TicketResolved(cycle=cycle, agent=agent, **{"customer_id": CUSTOMER} | facts)


def sent(cycle: int = 1, id: UUID = SURVEY, due_at: datetime | None = DUE) -> SurveySent:
    return SurveySent(survey_id=id, cycle=cycle, channel="web", due_at=due_at)


def scored(score: int = 5, cycle: int = 1, **facts: Any) -> SurveyScored:
    said: dict[str, Any] = {"survey_id": SURVEY, "customer_id": CUSTOMER}
    locks = {"locks_at": NOW + FORTNIGHT}
    return SurveyScored(cycle=cycle, score=score, **said | locks | facts)


def timed_out(cycle: int = 1) -> SurveyTimedOut:
    return SurveyTimedOut(survey_id=SURVEY, cycle=cycle)
