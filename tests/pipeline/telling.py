"""What the tests of pipeline tell their stories with."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from crm_events.contracts.pipeline import (
    DealOpened,
    DealReopened,
    OrderPlaced,
    PipelineDefined,
    Stage,
    StageAdvanced,
)
from crm_events.domain import Change
from crm_events.event import Money, Staff
from crm_pipeline.domain.pipeline import Pipeline

CUSTOMER, PRODUCT, CAMPAIGN = UUID(int=21), UUID(int=22), UUID(int=23)
MEI = Staff(id=UUID(int=5), team="North", manager_id=UUID(int=7), region="Asia")
TOM = Staff(id=UUID(int=6), team="South", region="Europe")
MEET = Stage(key="meet", name="Meeting", rank=1, probability=0.1)
OFFER = Stage(key="offer", name="Offer", rank=2, probability=0.5, note="in writing")
SIGN = Stage(key="sign", name="Signing", rank=3, probability=0.9)
STAGES = (MEET, OFFER, SIGN)
DEFINED = PipelineDefined(key="sales", name="Sales", stages=STAGES)


def euros(amount: str | int) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def dollars(amount: str | int) -> Money:
    return Money(amount=Decimal(amount), currency="USD")


def sales() -> Pipeline:
    """The pipeline meet, offer, sign."""
    return Pipeline.from_history(UUID(int=1), [Change(UUID(int=1), 1, DEFINED)])


def opened(stage: Stage = MEET, **facts: Any) -> DealOpened:
    return DealOpened(pipeline="sales", pipeline_version=1, stage=stage, **facts)


def advanced(previous: Stage, stage: Stage, version: int = 1) -> StageAdvanced:
    return StageAdvanced(pipeline_version=version, previous=previous, stage=stage)


def reopened(stage: Stage, reason: str | None = None, **facts: Any) -> DealReopened:
    return DealReopened(pipeline_version=1, stage=stage, reason=reason, **facts)


def placed(total: Money, **facts: Any) -> OrderPlaced:
    return OrderPlaced(customer_id=CUSTOMER, total=total, **facts)
