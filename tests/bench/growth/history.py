"""A history that goes on for as long as it is asked to: half of it deals, half of it orders."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random
from typing import Final
from uuid import UUID

from crm_events.domain import Aggregate
from crm_events.event import Money, Staff
from crm_events.ids import new_id
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.deal_facts import DealFacts
from crm_pipeline.domain.order import Order, OrderFacts
from crm_pipeline.domain.pipeline import Pipeline, StageDraft, Terminals

from tests.bench.stores import Store

TURN: Final = 1_000
"""Events of one turn, once deals of every age are under way."""
MIDDLE: Final = datetime(2025, 1, 1, tzinfo=UTC)
_BEGINNING: Final = datetime(2024, 1, 1, tzinfo=UTC)
_DAYS: Final = 700
_STAGES: Final = ("meet", "offer", "sign")
_DEALS: Final = TURN // 8
_ORDERS: Final = TURN // 2
_CUSTOMERS: Final = 50_000
_REGIONS: Final = ("north", "south", "east", "west")


@dataclass(slots=True)
class _Going:
    """A deal under way, and when it last moved."""

    deal: Deal
    at: datetime


class History:
    """Every turn opens deals, moves those of earlier turns on by one step, and places orders: what
    an event changes lies a thousand events back or more. Keeps deals under way, no others."""

    def __init__(self, store: Store, seed: int = 2024) -> None:
        self._store = store
        self._chance = Random(seed)  # noqa: S311 (figures, not secrets)
        self._pipeline = Pipeline(new_id())
        self._going: deque[list[_Going]] = deque()
        self._customers: list[UUID] = []
        self.events = 0
        self.head = 0

    def grow_to(self, events: int) -> None:
        """At least so many, at most a turn more."""
        if not self.events:
            drafts = [StageDraft(key, key.title(), 0.2 * rank) for rank, key in enumerate(_STAGES)]
            self._pipeline.define("sales", "Sales", drafts, Terminals(), at=_BEGINNING)
            self._save([self._pipeline])
        while self.events < events:
            self._save(self._moved())
            self._save([self._order() for _ in range(_ORDERS)])

    def _save(self, things: Sequence[Aggregate]) -> None:
        self.events += sum(len(thing.pending) for thing in things)
        self.head = self._store.save(things)

    def _moved(self) -> list[Aggregate]:
        """One block is opened, the block before goes one stage on ..., and the oldest one ends."""
        self._going.appendleft([self._opened() for _ in range(_DEALS)])
        for stage, block in zip(_STAGES[1:], list(self._going)[1:], strict=False):
            for going in block:
                going.deal.advance(self._pipeline, stage, at=self._later(going))
        moved: list[Aggregate] = [going.deal for block in self._going for going in block]
        if len(self._going) > len(_STAGES):
            self._end(self._going.pop())
        return moved

    def _end(self, block: Sequence[_Going]) -> None:
        for going in block:
            if self._chance.random() < 0.6:
                going.deal.win(at=self._later(going))
            else:
                going.deal.lose("too dear", at=self._later(going))

    def _opened(self) -> _Going:
        chance, deal, at = self._chance, Deal(new_id()), self._some_day()
        region = chance.choice(_REGIONS)
        owner = Staff(id=UUID(int=chance.randrange(20)), team=region, region=region)
        amount = Money(amount=Decimal(chance.randint(100, 9_999)), currency="EUR")
        facts = DealFacts(customer_id=new_id(), sector="retail", region=region, amount=amount)
        deal.open(self._pipeline, self._pipeline.first, facts, owner, at=at)
        return _Going(deal, at)

    def _order(self) -> Order:
        thing, chance = Order(new_id()), self._chance
        total = Money(amount=Decimal(chance.randint(500, 9_999)) / 100, currency="EUR")
        facts = OrderFacts(self._customer(), total, source="web", region=chance.choice(_REGIONS))
        thing.place(facts, at=self._some_day())
        return thing

    def _customer(self) -> UUID:
        """Every third order is a new customer's first; no more than the last ones are kept."""
        if not self._customers or self._chance.random() < 1 / 3:
            self._customers.append(new_id())
            if len(self._customers) > _CUSTOMERS:
                del self._customers[: _CUSTOMERS // 2]
            return self._customers[-1]
        return self._chance.choice(self._customers)

    def _some_day(self) -> datetime:
        return _BEGINNING + timedelta(seconds=self._chance.randrange(_DAYS * 86_400))

    def _later(self, going: _Going) -> datetime:
        going.at += timedelta(seconds=self._chance.randint(3_600, 20 * 86_400))
        return going.at
