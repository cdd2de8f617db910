"""A product: what deals and orders are about."""

from __future__ import annotations

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
        super().__init__(f"The product is registered already, as {name!r}; change it instead.")


class Product(Aggregate):
    """One product. A stub was named by an import before its own record came."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.name = ""
        self.series: str | None = None
        self.list_price: Money | None = None
        self.stub = False

    def register(
        self,
        name: str,
        series: str | None = None,
        list_price: Money | None = None,
        *,
        stub: bool = False,
        at: datetime,
    ) -> None:
        """Raises ProductExists and NegativeAmount."""
        if self.version:
            raise ProductExists(self.name)
        refuse_negative(list_price)
        self.record(
            ProductRegistered(name=name, series=series, list_price=list_price, stub=stub), at=at
        )

    def change(
        self, name: str, series: str | None, list_price: Money | None, *, at: datetime
    ) -> None:
        """The whole record from now on; nothing happens when it says nothing new."""
        refuse_negative(list_price)
        same = (name, series, list_price) == (self.name, self.series, self.list_price)
        if same and not self.stub:
            return
        self.record(ProductChanged(name=name, series=series, list_price=list_price), at=at)

    @applies(ProductRegistered)
    def _registered(self, event: ProductRegistered) -> None:
        self._is_now(event)
        self.stub = event.stub

    @applies(ProductChanged)
    def _changed(self, event: ProductChanged) -> None:
        self._is_now(event)
        self.stub = False

    def _is_now(self, event: ProductRegistered | ProductChanged) -> None:
        self.name, self.series, self.list_price = event.name, event.series, event.list_price
