"""A product: what deals and orders are about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.pipeline import ProductChanged, ProductRegistered
from crm_events.domain import Aggregate, DomainError, applies
from crm_events.event import Money

from crm_pipeline.domain.amounts import refuse_negative


class ProductExists(DomainError):
    slug: ClassVar[str] = "product-exists"

    def __init__(self, name: str) -> None:
        super().__init__(f"A product is registered as {name!r} already; change it instead.")


@dataclass(frozen=True, slots=True)
class ProductFacts:
    """The whole record of a product."""

    name: str
    series: str | None = None
    list_price: Money | None = None


class Product(Aggregate):
    """One product. A stub was named by an import before its own record came."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.facts = ProductFacts("")
        self.stub = False

    def register(self, facts: ProductFacts, *, stub: bool = False, at: datetime) -> None:
        """Raises ProductExists and NegativeAmount."""
        if self.begun:
            raise ProductExists(self.facts.name)
        refuse_negative(facts.list_price)
        self.record(
            ProductRegistered(
                name=facts.name, series=facts.series, list_price=facts.list_price, stub=stub
            ),
            at=at,
        )

    def change(self, facts: ProductFacts, *, at: datetime) -> None:
        """The whole record from now on; nothing happens when it says nothing new.

        Raises NegativeAmount.
        """
        refuse_negative(facts.list_price)
        if facts == self.facts and not self.stub:
            return
        self.record(
            ProductChanged(name=facts.name, series=facts.series, list_price=facts.list_price),
            at=at,
        )

    @applies(ProductRegistered)
    def _registered(self, event: ProductRegistered) -> None:
        self.facts, self.stub = _facts(event), event.stub

    @applies(ProductChanged)
    def _changed(self, event: ProductChanged) -> None:
        self.facts, self.stub = _facts(event), False


def _facts(event: ProductRegistered | ProductChanged) -> ProductFacts:
    return ProductFacts(event.name, event.series, event.list_price)
