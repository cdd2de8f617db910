"""The bodies that pipeline takes, and what its answers add."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

from crm_events.contracts.pipeline import OrderLine
from crm_events.event import Key, Text
from crm_service.context import Dated
from crm_service.schemas import Amount, Answer, Body, Money
from pydantic import Field, StringConstraints, field_validator

from crm_pipeline.domain.pipeline import StageDraft, Terminals

PipelineKey = Annotated[str, StringConstraints(pattern=r"^[\w.-]{1,100}$")]
"""What a pipeline is called in paths: letters of any script, digits, `_`, `.` and `-`."""


class StageIn(Body):
    """Its rank is its place in the list. `probability` of winning from there is 0 to 1."""

    key: Key
    name: Text | None = None
    probability: float = Field(ge=0, le=1, allow_inf_nan=False)
    note: Text | None = None

    def draft(self) -> StageDraft:
        return StageDraft(self.key, self.name or self.key, self.probability, self.note)


class StagesIn(Dated):
    """The stages first to last, and what the two ends are called."""

    stages: tuple[StageIn, ...] = Field(min_length=1, max_length=50)
    won_name: Text = "Won"
    lost_name: Text = "Lost"

    def drafts(self) -> list[StageDraft]:
        return [stage.draft() for stage in self.stages]

    def terminals(self) -> Terminals:
        return Terminals(self.won_name, self.lost_name)


class DefinePipeline(StagesIn):
    key: PipelineKey
    name: Text | None = None


class ChangeStages(StagesIn):
    """A deal keeps the stage it is in, as of the version it was moved under."""


class Change(Dated):
    """Fields that are not there stay; null takes a value away."""

    def changes(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.model_fields_set - {"occurred_at"}}


class RegisterProduct(Dated):
    name: Text
    series: Text | None = None
    list_price: Money | None = None


class ChangeProduct(Change):
    name: Text = Field(default_factory=str)
    series: Text | None = None
    list_price: Money | None = None


class DealFields(Dated):
    title: Text | None = None
    customer_id: UUID | None = None
    product_id: UUID | None = None
    sector: Text | None = None
    region: Text | None = None
    source: Key | None = None
    campaign_id: UUID | None = None
    amount: Money | None = None
    expected_close: date | None = None


class OpenDeal(DealFields):
    """In the first stage unless one is named. The region is the owner's and the sector the
    customer's unless they are given."""

    pipeline: PipelineKey
    stage: Key | None = None
    owner_id: UUID | None = None

    def facts(self) -> dict[str, Any]:
        beside = {"pipeline", "stage", "owner_id"}
        return {name: value for name, value in super().facts().items() if name not in beside}


class AmendDeal(Change, DealFields):
    """Fields that are not there stay; null takes a value away."""


class AdvanceDeal(Dated):
    stage: Key


class MoveDealBack(Dated):
    stage: Key
    reason: Text | None = None


class WinDeal(Dated):
    """For the deal's own amount unless one is given."""

    amount: Money | None = None


class LoseDeal(Dated):
    reason: Text


class ReopenDeal(Dated):
    """Where it stood unless a stage is named."""

    stage: Key | None = None
    reason: Text | None = None


class AssignDeal(Dated):
    owner_id: UUID


class OrderLineIn(Body):
    product_id: UUID | None = None
    quantity: Annotated[Amount, Field(ge=0)] = Decimal(1)
    amount: Money


def _lines(lines: tuple[OrderLineIn, ...]) -> tuple[OrderLine, ...]:
    return tuple(
        OrderLine(product_id=line.product_id, quantity=line.quantity, amount=line.amount)
        for line in lines
    )


class PlaceOrder(Dated):
    """The customer needs no contact record; region and segment are those of this day."""

    customer_id: UUID
    total: Money
    lines: tuple[OrderLineIn, ...] = Field(default=(), max_length=1_000)
    deal_id: UUID | None = None
    source: Key | None = None
    region: Text | None = None
    segment: Text | None = None

    def facts(self) -> dict[str, Any]:
        facts = super().facts() | {"lines": _lines(self.lines)}
        del facts["deal_id"]
        return facts


class AmendOrder(Change):
    customer_id: UUID | None = None
    total: Money | None = None
    lines: tuple[OrderLineIn, ...] = Field(default=(), max_length=1_000)
    source: Key | None = None
    region: Text | None = None
    segment: Text | None = None

    @field_validator("customer_id", "total")
    @classmethod
    def _stays(cls, value: object) -> object:
        """Only what is sent comes by here, never a default."""
        if value is None:
            raise ValueError("an order always has one; leave it out to keep it")
        return value

    def changes(self) -> dict[str, Any]:
        changes = super().changes()
        return changes | {"lines": _lines(self.lines)} if "lines" in changes else changes


class ReceivePayment(Dated):
    """A part or all of what is due, in the order's currency."""

    amount: Money
    method: Key | None = None
    reference: Text | None = None


class Due(Body):
    amount: str
    currency: str


class PaymentReceived(Answer):
    """`due` is what is still to be paid."""

    due: Due
