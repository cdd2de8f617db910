"""Events of the campaigns context: campaigns and the responses they draw."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from crm_events.event import Event, Key, Money, Personal, Text, Value, Withdrawal

GoalMeasure = Literal["leads", "deals_won", "revenue", "responses"]


class Goal(Value):
    """What the campaign is to reach: so many of one measure."""

    measure: GoalMeasure
    target: int = Field(ge=1)


class CampaignPlanned(Event, context="campaigns"):
    name: Text
    goal: Goal
    budget: Money
    channels: Annotated[tuple[Key, ...], Field(min_length=1)]
    owner_id: UUID | None = None
    starts_on: date | None = None
    ends_on: date | None = None


class CampaignLaunched(Event, context="campaigns"):
    """The campaign runs and takes responses from now on."""


class ResponseReceived(Event, context="campaigns", version=2):
    """Somebody answered a campaign; contacts captures the lead `lead_id` from it."""

    campaign_id: UUID
    person_id: UUID
    lead_id: UUID
    name: Annotated[Text | None, Personal("person_id")]
    email: Annotated[Text | None, Personal("person_id")] = None
    phone: Annotated[Text | None, Personal("person_id")] = None
    company: Annotated[Text | None, Personal("person_id")] = None
    channel: Key
    region: Text | None = None


class CampaignWithdrawn(Withdrawal, context="campaigns"):
    """What was said of a campaign is undone."""


class ResponseWithdrawn(Withdrawal, context="campaigns"):
    """What was said of a response is undone."""
