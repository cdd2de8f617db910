from dataclasses import replace
from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest
from crm_campaigns.domain.campaign import (
    Campaign,
    CampaignAlreadyLaunched,
    CampaignExists,
    CampaignNotLaunched,
    Plan,
    PlanRefused,
)
from crm_campaigns.domain.response import Answer, ChannelNotPlanned, Response, ResponseExists
from crm_events.contracts.campaigns import (
    CampaignLaunched,
    CampaignPlanned,
    Goal,
    ResponseReceived,
)
from crm_events.event import Money

from tests.support.decisions import ID, NOW, given

CAMPAIGN, LEAD, PERSON = UUID(int=21), UUID(int=22), UUID(int=23)
GOAL, BUDGET = Goal(measure="leads", target=40), Money(amount=Decimal(500), currency="EUR")
PLAN = Plan("Spring", GOAL, BUDGET, ("email", "fair", "email"))
PLANNED = CampaignPlanned(name="Spring", goal=GOAL, budget=BUDGET, channels=("email", "fair"))
ANSWER = Answer("Li Na", "fair", email="li@example.org")
RECEIVED = ResponseReceived(
    campaign_id=CAMPAIGN,
    person_id=PERSON,
    lead_id=LEAD,
    name="Li Na",
    email="li@example.org",
    channel="fair",
)


def running() -> Campaign:
    return given(Campaign, PLANNED, CampaignLaunched(), id=CAMPAIGN).aggregate()


def test_campaign_is_planned_once() -> None:
    given(Campaign).when(lambda it: it.plan(PLAN, at=NOW)).then(PLANNED).at(NOW)
    given(Campaign, PLANNED).when(lambda it: it.plan(PLAN, at=NOW)).then(CampaignExists)


@pytest.mark.parametrize(
    "plan",
    [
        replace(PLAN, budget=Money(amount=Decimal(-1), currency="EUR")),
        replace(PLAN, starts_on=date(2026, 4, 2), ends_on=date(2026, 4, 1)),
    ],
    ids=["budget below zero", "ends before it starts"],
)
def test_plan_that_contradicts_itself_is_refused(plan: Plan) -> None:
    given(Campaign).when(lambda it: it.plan(plan, at=NOW)).then(PlanRefused)


def test_campaign_is_launched_once() -> None:
    planned = given(Campaign, PLANNED)
    planned.when(lambda it: it.launch(at=NOW)).then(CampaignLaunched())
    given(Campaign, PLANNED, CampaignLaunched()).when(lambda it: it.launch(at=NOW)).then(
        CampaignAlreadyLaunched
    )


def test_running_campaign_receives_responses() -> None:
    given(Response).when(lambda it: it.receive(running(), ANSWER, LEAD, PERSON, at=NOW)).then(
        RECEIVED
    )


def test_response_is_received_once() -> None:
    given(Response, RECEIVED, id=ID).when(
        lambda it: it.receive(running(), ANSWER, LEAD, PERSON, at=NOW)
    ).then(ResponseExists)


def test_planned_campaign_receives_nothing() -> None:
    planned = given(Campaign, PLANNED).aggregate()
    given(Response).when(lambda it: it.receive(planned, ANSWER, LEAD, PERSON, at=NOW)).then(
        CampaignNotLaunched
    )


def test_response_on_channel_nobody_planned_is_refused() -> None:
    stray = replace(ANSWER, channel="radio")
    given(Response).when(lambda it: it.receive(running(), stray, LEAD, PERSON, at=NOW)).then(
        ChannelNotPlanned
    )
