"""An order: what a customer bought, and what has been paid of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from crm_events.contracts.pipeline import OrderAmended, OrderLine, OrderPlaced, PaymentReceived
from crm_events.domain import Aggregate, DomainError, applies
from crm_events.event import Money

from crm_pipeline.domain.amounts import refuse_negative, refuse_other_currency


class OrderExists(DomainError):
    slug: ClassVar[str] = "order-exists"

    def __init__(self) -> None:
        super().__init__("The order has been placed already; amend it instead.")


class PaymentRefused(DomainError):
    """Nothing is paid by this, or more than is due."""

    slug: ClassVar[str] = "payment-refused"


class PaidAlready(DomainError):
    """The new total is below what has been received, or in another currency."""

    slug: ClassVar[str] = "paid-already"


@dataclass(frozen=True, slots=True)
class OrderFacts:
    """What an order says; region and segment are those of its day."""

    customer_id: UUID
    total: Money
    lines: tuple[OrderLine, ...] = ()
    source: str | None = None
    region: str | None = None
    segment: str | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """Money that came in, how, and under which reference."""

    amount: Money
    method: str | None = None
    reference: str | None = None


class Order(Aggregate):
    """One order. What is due is its total less the payments received, never below zero."""

    def __init__(self, id: UUID) -> None:
        super().__init__(id)
        self.facts: OrderFacts | None = None
        self.deal_id: UUID | None = None
        self.paid = Decimal(0)

    def place(self, facts: OrderFacts, deal_id: UUID | None = None, *, at: datetime) -> None:
        """Raises OrderExists, NegativeAmount and CurrencyMismatch."""
        if self.begun:
            raise OrderExists
        _check(facts)
        self.record(
            OrderPlaced(
                customer_id=facts.customer_id,
                total=facts.total,
                lines=facts.lines,
                deal_id=deal_id,
                source=facts.source,
                region=facts.region,
                segment=facts.segment,
            ),
            at=at,
        )

    def amend(self, facts: OrderFacts, *, at: datetime) -> None:
        """The order's facts corrected from its beginning; nothing happens when they are the same.

        Raises PaidAlready, NegativeAmount and CurrencyMismatch.
        """
        if facts == self.facts:
            return
        _check(facts)
        self._refuse_below_paid(facts.total)
        self.record(
            OrderAmended(
                customer_id=facts.customer_id,
                total=facts.total,
                lines=facts.lines,
                source=facts.source,
                region=facts.region,
                segment=facts.segment,
            ),
            at=at,
        )

    def receive_payment(self, payment: Payment, *, at: datetime) -> None:
        """A part or all of what is due. Raises PaymentRefused and CurrencyMismatch."""
        amount, due = payment.amount, self.due
        refuse_other_currency(due, amount)
        if amount.amount <= 0:
            raise PaymentRefused("A payment is above zero; give what was received.")
        if amount.amount > due.amount:
            raise PaymentRefused(
                f"{due.amount} {due.currency} is due, {amount.amount} is more; "
                "give at most what is due, or amend the order first."
            )
        self.record(
            PaymentReceived(
                amount=amount,
                customer_id=self.placed.customer_id,
                method=payment.method,
                reference=payment.reference,
            ),
            at=at,
        )

    @property
    def placed(self) -> OrderFacts:
        """What the order says; a LookupError before it is placed."""
        if self.facts is None:
            raise LookupError("an order says nothing before it is placed")
        return self.facts

    @property
    def due(self) -> Money:
        """What is still to be paid."""
        total = self.placed.total
        return Money(amount=total.amount - self.paid, currency=total.currency)

    def _refuse_below_paid(self, total: Money) -> None:
        if not self.paid:
            return
        currency = self.placed.total.currency
        if total.currency != currency or total.amount < self.paid:
            raise PaidAlready(
                f"{self.paid} {currency} has been paid; "
                f"the total cannot become {total.amount} {total.currency}."
            )

    @applies(OrderPlaced)
    def _placed(self, event: OrderPlaced) -> None:
        self.deal_id = event.deal_id
        self.facts = _facts(event)

    @applies(OrderAmended)
    def _amended(self, event: OrderAmended) -> None:
        self.facts = _facts(event)

    @applies(PaymentReceived)
    def _payment_received(self, event: PaymentReceived) -> None:
        self.paid += event.amount.amount


def _check(facts: OrderFacts) -> None:
    refuse_negative(facts.total)
    for line in facts.lines:
        refuse_negative(line.amount)
        refuse_other_currency(facts.total, line.amount)


def _facts(event: OrderPlaced | OrderAmended) -> OrderFacts:
    return OrderFacts(
        event.customer_id, event.total, event.lines, event.source, event.region, event.segment
    )
