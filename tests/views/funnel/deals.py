"""Deals of a three-stage pipeline, told in a few words."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from crm_events.contracts.pipeline import (
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    PipelineDefined,
    Stage,
    StageAdvanced,
    StageMovedBack,
)
from crm_events.event import Money

from tests.support.viewing import Told

STAGES = tuple(
    Stage(key=key, name=key, rank=rank, probability=rank / 10)
    for rank, key in enumerate(("aware", "trial", "offer"), start=1)
)
AWARE, TRIAL, OFFER = STAGES


def euros(amount: str | int) -> Money:
    return Money(amount=Decimal(amount), currency="EUR")


def defined(when: datetime, *stages: Stage, won: str = "Won") -> Told:
    event = PipelineDefined(key="sales", name="Sales", stages=stages or STAGES, won_name=won)
    return Told("pipeline", event, when)


def opened(deal: str, when: datetime, stage: Stage = AWARE, **facts: Any) -> Told:
    event = DealOpened(pipeline="sales", pipeline_version=1, stage=stage, **facts)
    return Told(deal, event, when)


def advanced(deal: str, when: datetime, stage: Stage, previous: Stage = AWARE) -> Told:
    return Told(deal, StageAdvanced(pipeline_version=1, previous=previous, stage=stage), when)


def moved_back(deal: str, when: datetime, stage: Stage, previous: Stage) -> Told:
    return Told(deal, StageMovedBack(pipeline_version=1, previous=previous, stage=stage), when)


def won(deal: str, when: datetime, stage: Stage = OFFER, **facts: Any) -> Told:
    return Told(deal, DealWon(stage=stage, **facts), when)


def lost(deal: str, when: datetime, stage: Stage = AWARE, **facts: Any) -> Told:
    return Told(deal, DealLost(stage=stage, reason="price", **facts), when)


def reopened(deal: str, when: datetime, stage: Stage) -> Told:
    return Told(deal, DealReopened(pipeline_version=1, stage=stage), when)
