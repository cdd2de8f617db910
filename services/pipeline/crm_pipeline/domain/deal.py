"""A deal: an opportunity on its way through the stages of a pipeline to won or lost."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from uuid import UUID

from crm_events.contracts.pipeline import (
    DealAmended,
    DealAssigned,
    DealLost,
    DealOpened,
    DealReopened,
    DealWon,
    Stage,
    StageAdvanced,
    StageMovedBack,
)
from crm_events.domain import Aggregate, applies
from crm_events.event import Money, Staff

from crm_pipeline.domain.amounts import refuse_negative
from crm_pipeline.domain.deal_facts import DealFacts, Opening, facts_of, named
from crm_pipeline.domain.deal_refusals import (
    DealClosed,
    DealExists,
    DealNotClosed,
    NotBackward,
    NotForward,
    Status,
)
from crm_pipeline.domain.pipeline import Pipeline


class Deal(Aggregate):
    """One deal. Times are not compared: a close before its opening is a fact like any other."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.status: Status = "new"
        self.pipeline = ""
        self.pipeline_version = 0
        self.stage: Stage | None = None
        self.owner: Staff | None = None
        self.facts = DealFacts()

    def open(
        self,
        pipeline: Pipeline,
        stage: Stage,
        facts: DealFacts,
        owner: Staff | None = None,
        opening: Opening | None = None,
        *,
        at: datetime,
    ) -> None:
        """Enter the pipeline in any of its stages. Raises DealExists and NegativeAmount."""
        if self.begun:
            raise DealExists
        refuse_negative(facts.amount)
        origin = opening or Opening()
        self.record(
            DealOpened(
                pipeline=pipeline.key,
                pipeline_version=pipeline.pipeline_version,
                stage=stage,
                owner=owner,
                lead_id=origin.lead_id,
                history_unknown=origin.history_unknown,
                **named(facts),
            ),
            at=at,
        )

    def advance(self, pipeline: Pipeline, key: str, *, at: datetime) -> None:
        """To a later stage of the pipeline's current version. Raises DealClosed, StageUnknown,
        NotForward."""
        standing, target = self._standing(), pipeline.stage(key)
        if target.rank <= _rank(standing, pipeline):
            raise NotForward(target)
        version = pipeline.pipeline_version
        self.record(StageAdvanced(pipeline_version=version, previous=standing, stage=target), at=at)

    def move_back(
        self, pipeline: Pipeline, key: str, reason: str | None = None, *, at: datetime
    ) -> None:
        """To an earlier stage of the current version. Raises DealClosed, StageUnknown,
        NotBackward."""
        standing, target = self._standing(), pipeline.stage(key)
        if target.rank >= _rank(standing, pipeline):
            raise NotBackward(target)
        version = pipeline.pipeline_version
        self.record(
            StageMovedBack(
                pipeline_version=version,
                previous=standing,
                stage=target,
                customer_id=self.facts.customer_id,
                reason=reason,
            ),
            at=at,
        )

    def win(
        self, amount: Money | None = None, *, history_unknown: bool = False, at: datetime
    ) -> None:
        """For `amount`, or for what the deal was about. Raises DealClosed and NegativeAmount."""
        standing = self._standing()
        refuse_negative(amount)
        self.record(
            DealWon(
                stage=standing,
                customer_id=self.facts.customer_id,
                owner=self.owner,
                amount=amount or self.facts.amount,
                history_unknown=history_unknown,
            ),
            at=at,
        )

    def lose(
        self,
        reason: str | None,
        amount: Money | None = None,
        *,
        history_unknown: bool = False,
        at: datetime,
    ) -> None:
        """`reason` is None only where a file gives none. Raises DealClosed and NegativeAmount."""
        standing = self._standing()
        refuse_negative(amount)
        self.record(
            DealLost(
                stage=standing,
                reason=reason,
                owner=self.owner,
                amount=amount or self.facts.amount,
                history_unknown=history_unknown,
            ),
            at=at,
        )

    def reopen(
        self, pipeline: Pipeline, key: str | None, reason: str | None = None, *, at: datetime
    ) -> None:
        """In the named stage, or where the deal stood. Raises DealNotClosed and StageUnknown."""
        if self.status not in ("won", "lost") or self.stage is None:
            raise DealNotClosed
        target = pipeline.stage(key or self.stage.key)
        self.record(
            DealReopened(
                pipeline_version=pipeline.pipeline_version,
                stage=target,
                customer_id=self.facts.customer_id,
                reason=reason,
            ),
            at=at,
        )

    def assign(self, owner: Staff, *, at: datetime) -> None:
        """Nothing happens when the deal is with this owner, in this team and region, already."""
        if owner != self.owner:
            self.record(DealAssigned(owner=owner), at=at)

    def amend(self, facts: DealFacts, *, at: datetime) -> None:
        """What the deal is about from now on; nothing happens when it is the same.

        Raises NegativeAmount.
        """
        if facts == self.facts:
            return
        refuse_negative(facts.amount)
        self.record(DealAmended(**named(facts)), at=at)

    def _standing(self) -> Stage:
        if self.status != "open" or self.stage is None:
            raise DealClosed(self.status)
        return self.stage

    @applies(DealOpened)
    def _opened(self, event: DealOpened) -> None:
        self.pipeline, self.owner = event.pipeline, event.owner
        self.facts = facts_of(event)
        self._stands(event.pipeline_version, event.stage)

    @applies(StageAdvanced)
    def _advanced(self, event: StageAdvanced) -> None:
        self._stands(event.pipeline_version, event.stage)

    @applies(StageMovedBack)
    def _moved_back(self, event: StageMovedBack) -> None:
        self._stands(event.pipeline_version, event.stage)

    @applies(DealReopened)
    def _reopened(self, event: DealReopened) -> None:
        self._stands(event.pipeline_version, event.stage)

    def _stands(self, pipeline_version: int, stage: Stage) -> None:
        self.status, self.pipeline_version, self.stage = "open", pipeline_version, stage

    @applies(DealWon)
    def _won(self, event: DealWon) -> None:
        self._closed("won", event)

    @applies(DealLost)
    def _lost(self, event: DealLost) -> None:
        self._closed("lost", event)

    def _closed(self, status: Status, event: DealWon | DealLost) -> None:
        self.status = status
        self.facts = replace(self.facts, amount=event.amount)

    @applies(DealAssigned)
    def _assigned(self, event: DealAssigned) -> None:
        self.owner = event.owner

    @applies(DealAmended)
    def _amended(self, event: DealAmended) -> None:
        self.facts = facts_of(event)


def _rank(stage: Stage, pipeline: Pipeline) -> int:
    """The stage's rank today; that of its own version where the pipeline has dropped it."""
    today = pipeline.find(stage.key)
    return today.rank if today is not None else stage.rank
