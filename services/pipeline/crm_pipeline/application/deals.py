"""The commands of deals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from crm_events.application import Outcome
from crm_events.event import Money
from crm_events.ids import new_id
from crm_events.store.mapper import Cause

from crm_pipeline.application.directory import Directory
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.deal_facts import DealFacts, grouped


class Deals(Directory):
    """Deals from opening to won or lost, and back."""

    def open_deal(
        self,
        cause: Cause,
        pipeline_key: str,
        stage_key: str | None,
        facts: DealFacts,
        owner_id: UUID | None = None,
    ) -> Outcome:
        """In the named stage, else the first. The region is the owner's, the sector the
        customer's, unless they are given."""

        def decide() -> Deal:
            pipeline = self.pipeline(pipeline_key)
            self.refuse_unknown_product(facts.product_id)
            owner = None if owner_id is None else self.staff(owner_id)
            stage = pipeline.first if stage_key is None else pipeline.stage(stage_key)
            deal = Deal(new_id())
            known = grouped(facts, owner, self.sector(facts.customer_id))
            deal.open(pipeline, stage, known, owner, at=cause.at)
            return deal

        return self.execute(cause, decide)

    def advance_deal(
        self, cause: Cause, id: UUID, stage: str, expected: int | None = None
    ) -> Outcome:
        def advance(deal: Deal) -> None:
            deal.advance(self.pipeline(deal.pipeline), stage, at=cause.at)

        return self.change(cause, Deal, id, advance, expected)

    def move_deal_back(
        self, cause: Cause, id: UUID, stage: str, reason: str | None, expected: int | None = None
    ) -> Outcome:
        def move_back(deal: Deal) -> None:
            deal.move_back(self.pipeline(deal.pipeline), stage, reason, at=cause.at)

        return self.change(cause, Deal, id, move_back, expected)

    def win_deal(
        self, cause: Cause, id: UUID, amount: Money | None, expected: int | None = None
    ) -> Outcome:
        return self.change(cause, Deal, id, lambda deal: deal.win(amount, at=cause.at), expected)

    def lose_deal(
        self, cause: Cause, id: UUID, reason: str, expected: int | None = None
    ) -> Outcome:
        return self.change(cause, Deal, id, lambda deal: deal.lose(reason, at=cause.at), expected)

    def reopen_deal(
        self,
        cause: Cause,
        id: UUID,
        stage: str | None,
        reason: str | None,
        expected: int | None = None,
    ) -> Outcome:
        def reopen(deal: Deal) -> None:
            deal.reopen(self.pipeline(deal.pipeline), stage, reason, at=cause.at)

        return self.change(cause, Deal, id, reopen, expected)

    def assign_deal(
        self, cause: Cause, id: UUID, owner_id: UUID, expected: int | None = None
    ) -> Outcome:
        def assign(deal: Deal) -> None:
            deal.assign(self.staff(owner_id), at=cause.at)

        return self.change(cause, Deal, id, assign, expected)

    def amend_deal(
        self, cause: Cause, id: UUID, changes: Mapping[str, Any], expected: int | None = None
    ) -> Outcome:
        """`changes` are fields of `DealFacts`; those not named stay. A new customer brings its
        sector along."""

        def amend(deal: Deal) -> None:
            self.refuse_unknown_product(changes.get("product_id"))
            facts = replace(deal.facts, **changes)
            if facts.customer_id != deal.facts.customer_id and "sector" not in changes:
                facts = replace(facts, sector=self.sector(facts.customer_id))
            deal.amend(facts, at=cause.at)

        return self.change(cause, Deal, id, amend, expected)
