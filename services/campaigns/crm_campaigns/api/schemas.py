"""The bodies that campaigns takes, and what its answers add."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from crm_events.contracts.campaigns import GoalMeasure
from crm_events.event import Key, Text
from crm_service import schemas
from crm_service.context import Dated
from crm_service.schemas import Body, Money
from pydantic import Field


class GoalIn(Body):
    """So many of one measure."""

    measure: GoalMeasure
    target: int = Field(ge=1, le=1_000_000_000)


class PlanCampaign(Dated):
    name: Text
    goal: GoalIn
    budget: Money
    channels: Annotated[tuple[Key, ...], Field(min_length=1, max_length=50)]
    owner_id: UUID | None = None
    starts_on: date | None = None
    ends_on: date | None = None


class LaunchCampaign(Dated):
    """Nothing but, at most, when."""


class RecordResponse(Dated):
    """Somebody answered on one of the campaign's channels; contacts captures the lead from it."""

    channel: Key
    name: Text | None = None
    email: Text | None = None
    phone: Text | None = None
    company: Text | None = None
    region: Text | None = None


class ResponseRecorded(schemas.Answer):
    """`lead_id` is the lead that contacts captures, `person_id` whom it becomes."""

    lead_id: str
    person_id: str
