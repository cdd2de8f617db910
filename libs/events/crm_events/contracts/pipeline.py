"""Events of the pipeline context: pipelines and stages, products, deals, orders and payments."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated
from uuid import UUID

from pydantic import Field

from crm_events.event import Event, Key, Money, Personal, Staff, Text, Value, Withdrawal


class Stage(Value):
    """A stage as of one version of its pipeline. Ranks count from 1; probability is 0 to 1."""

    key: Key
    name: Text
    rank: int = Field(ge=1)
    probability: float = Field(ge=0, le=1)
    note: Text | None = None


class PipelineDefined(Event, context="pipeline"):
    """A pipeline with its first stages. `won_name` and `lost_name` label its two terminals."""

    key: Key
    name: Text
    stages: tuple[Stage, ...]
    won_name: Text = "Won"
    lost_name: Text = "Lost"


class PipelineStagesChanged(Event, context="pipeline"):
    """Another version of the stages; deals keep the version they were moved under."""

    pipeline_version: int = Field(ge=2)
    stages: tuple[Stage, ...]
    won_name: Text = "Won"
    lost_name: Text = "Lost"


class ProductRegistered(Event, context="pipeline"):
    name: Text
    series: Text | None = None
    list_price: Money | None = None
    stub: bool = False


class ProductChanged(Event, context="pipeline"):
    name: Text
    series: Text | None = None
    list_price: Money | None = None


class DealOpened(Event, context="pipeline", version=2):
    """An opportunity entered a pipeline. Names and groupings are those of this moment."""

    pipeline: Key
    pipeline_version: int
    stage: Stage
    title: Annotated[Text | None, Personal("customer_id")] = None
    customer_id: UUID | None = None
    lead_id: UUID | None = None
    owner: Staff | None = None
    product_id: UUID | None = None
    sector: Text | None = None
    region: Text | None = None
    source: Key | None = None
    campaign_id: UUID | None = None
    amount: Money | None = None
    expected_close: date | None = None
    history_unknown: bool = False


class StageAdvanced(Event, context="pipeline"):
    pipeline_version: int
    previous: Stage
    stage: Stage


class StageMovedBack(Event, context="pipeline", version=2):
    pipeline_version: int
    previous: Stage
    stage: Stage
    customer_id: UUID | None = None
    reason: Annotated[Text | None, Personal("customer_id")] = None


class DealAssigned(Event, context="pipeline"):
    owner: Staff


class DealAmended(Event, context="pipeline", version=2):
    """What the deal is about changed; every field is the value from now on."""

    title: Annotated[Text | None, Personal("customer_id")] = None
    customer_id: UUID | None = None
    product_id: UUID | None = None
    sector: Text | None = None
    region: Text | None = None
    source: Key | None = None
    campaign_id: UUID | None = None
    amount: Money | None = None
    expected_close: date | None = None


class DealWon(Event, context="pipeline"):
    """The customer signed. `stage` is where the deal stood; `owner` gets the credit."""

    stage: Stage
    customer_id: UUID | None = None
    owner: Staff | None = None
    amount: Money | None = None
    history_unknown: bool = False


class DealLost(Event, context="pipeline"):
    """The customer went elsewhere or nowhere. `reason` is a category of reports and stays plain."""

    stage: Stage
    reason: Text | None = None
    owner: Staff | None = None
    amount: Money | None = None
    history_unknown: bool = False


class DealReopened(Event, context="pipeline", version=2):
    """A closed deal is worked on again, in `stage`."""

    pipeline_version: int
    stage: Stage
    customer_id: UUID | None = None
    reason: Annotated[Text | None, Personal("customer_id")] = None


class OrderLine(Value):
    product_id: UUID | None = None
    quantity: Annotated[Decimal, Field(ge=0, max_digits=20, decimal_places=6)]
    amount: Money


class OrderPlaced(Event, context="pipeline"):
    """A customer bought. They need no contact record; region and segment are those of this day."""

    customer_id: UUID
    total: Money
    lines: tuple[OrderLine, ...] = ()
    deal_id: UUID | None = None
    source: Key | None = None
    region: Text | None = None
    segment: Text | None = None


class OrderAmended(Event, context="pipeline"):
    """The order's facts were corrected; every field is the value from the order's beginning."""

    customer_id: UUID
    total: Money
    lines: tuple[OrderLine, ...] = ()
    source: Key | None = None
    region: Text | None = None
    segment: Text | None = None


class PaymentReceived(Event, context="pipeline", version=2):
    """Money came in for the order of `customer_id`."""

    amount: Money
    customer_id: UUID | None = None
    method: Key | None = None
    reference: Annotated[Text | None, Personal("customer_id")] = None


class ProductWithdrawn(Withdrawal, context="pipeline"):
    """What was said of a product is undone."""


class DealWithdrawn(Withdrawal, context="pipeline"):
    """What was said of a deal is undone; a deal that is gone is in no figure."""


class OrderWithdrawn(Withdrawal, context="pipeline"):
    """What was said of an order is undone; an order that is gone is in no figure."""
