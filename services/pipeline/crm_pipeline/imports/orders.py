"""Rows of a file of orders: one order each, of a customer who needs no contact record."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Annotated, ClassVar, Final
from uuid import UUID

from crm_events.contracts.pipeline import OrderLine
from crm_events.event import Key, Money, Text
from crm_events.store.port import DirectoryEntry
from crm_service.importing.customers import Customers
from crm_service.importing.dates import refuse_future
from crm_service.importing.options import Options, options_of
from crm_service.importing.protocol import ImportIn, ImportKind, RowRefused
from crm_service.schemas import Amount, Body, Happened, MoneyAmount
from crm_service.settings import Currency
from pydantic import Field

from crm_pipeline.application import PipelineApplication
from crm_pipeline.domain.order import Order, OrderFacts
from crm_pipeline.imports.places import Places

_DATE_STAYS: Final = (
    "nothing but the date differs from what was imported, and the date of an order stays; "
    "import it under another key if it is another order"
)


class OrderRow(Body):
    """`customer_key` is the customer's id or name in the source, where `customer_id` is unknown."""

    ordered_at: Happened
    amount: MoneyAmount
    currency: Currency | None = None
    customer_id: UUID | None = None
    customer_key: Annotated[str, Field(min_length=1, max_length=500)] | None = None
    product_id: UUID | None = None
    quantity: Annotated[Amount, Field(ge=0)] | None = None
    source: Key | None = None
    region: Text | None = None
    segment: Text | None = None


class OrderImport(ImportKind[Order, OrderRow]):
    """An order is placed at its own time; another row under its key amends it."""

    name: ClassVar = "orders"
    aggregate = Order
    row = OrderRow

    def __init__(self, app: PipelineApplication, request: ImportIn, places: Places) -> None:
        self._currency = options_of(Options, request).currency or places.currency
        self._customers = Customers(app.secret, request.source)

    def decide(self, thing: Order, row: OrderRow, *, at: datetime) -> Iterable[DirectoryEntry]:
        refuse_future("ordered_at", row.ordered_at, at)
        facts = self._facts(row)
        if not thing.begun:
            thing.place(facts, at=row.ordered_at)
        elif facts == thing.facts:
            raise RowRefused("ordered_at", _DATE_STAYS)
        else:
            thing.amend(facts, at=row.ordered_at)
        return ()

    def _facts(self, row: OrderRow) -> OrderFacts:
        total = Money(amount=row.amount, currency=row.currency or self._currency)
        lines = () if row.quantity is None and row.product_id is None else (_line(row, total),)
        customer = self._customers.id(row.customer_id, row.customer_key)
        if customer is None:
            raise RowRefused("customer_key", "name the customer who bought")
        return OrderFacts(customer, total, lines, row.source, row.region, row.segment)


def _line(row: OrderRow, total: Money) -> OrderLine:
    """A product without a number of pieces is one piece."""
    quantity = Decimal(1) if row.quantity is None else row.quantity
    return OrderLine(product_id=row.product_id, quantity=quantity, amount=total)
