"""Deals on their way through a pipeline, as they lie in a log: all at once, stage after stage."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from crm_events.clock import utc_now
from crm_events.event import Money, Staff
from crm_events.ids import new_id
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.deal_facts import DealFacts
from crm_pipeline.domain.pipeline import Pipeline, StageDraft, Terminals

from tests.bench.stores import Store

STAGES: Final = ("meet", "offer", "sign")
_AT_ONCE: Final = 500
_OWNERS: Final = tuple(Staff(id=new_id(), team="north", region="asia") for _ in range(20))


def fill_with_deals(store: Store, deals: int) -> int:
    """Four events each: opened, advanced twice, won. Every stage is one pass over all deals, so
    that what an event changes was stored long before. Answers the last position."""
    pipeline, last = _defined(store)
    things = [_opened(pipeline, number) for number in range(deals)]
    last = _saved(store, things)
    for stage in STAGES[1:]:
        for deal in things:
            deal.advance(pipeline, stage, at=utc_now())
        last = _saved(store, things)
    for deal in things:
        deal.win(at=utc_now())
    return max(last, _saved(store, things))


def fill_with_open_deals(store: Store, deals: int) -> int:
    """Deals in their first stage. Answers the last position."""
    pipeline, _ = _defined(store)
    return _saved(store, [_opened(pipeline, number) for number in range(deals)])


def _defined(store: Store) -> tuple[Pipeline, int]:
    pipeline = Pipeline(new_id())
    drafts = [StageDraft(key, key.title(), 0.2 * rank) for rank, key in enumerate(STAGES, 1)]
    pipeline.define("sales", "Sales", drafts, Terminals(), at=utc_now())
    return pipeline, store.save([pipeline])


def _opened(pipeline: Pipeline, number: int) -> Deal:
    deal = Deal(new_id())
    owner = _OWNERS[number % len(_OWNERS)]
    amount = Money(amount=Decimal(1_000 + number), currency="EUR")
    facts = DealFacts(customer_id=new_id(), sector="retail", region=owner.region, amount=amount)
    deal.open(pipeline, pipeline.first, facts, owner, at=utc_now())
    return deal


def _saved(store: Store, things: Sequence[Deal]) -> int:
    last = 0
    for start in range(0, len(things), _AT_ONCE):
        last = store.save(things[start : start + _AT_ONCE])
    return last
