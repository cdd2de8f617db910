"""The commands of orders and their payments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from crm_events.application import Outcome, Saving
from crm_events.ids import new_id
from crm_events.store.mapper import Cause

from crm_pipeline.application.directory import Directory
from crm_pipeline.domain.deal import Deal
from crm_pipeline.domain.order import Order, OrderFacts, Payment


class Orders(Directory):
    """Orders and what is paid of them."""

    def place_order(self, cause: Cause, facts: OrderFacts, deal_id: UUID | None = None) -> Outcome:
        def decide() -> Order:
            if deal_id is not None:
                self.load(Deal, deal_id)
            order = Order(new_id())
            order.place(facts, deal_id, at=cause.at)
            return order

        return self.execute(cause, decide)

    def amend_order(
        self, cause: Cause, id: UUID, changes: Mapping[str, Any], expected: int | None = None
    ) -> Outcome:
        """`changes` are fields of `OrderFacts`; those not named stay."""

        def amend(order: Order) -> None:
            order.amend(replace(order.placed, **changes), at=cause.at)

        return self.change(cause, Order, id, amend, expected)

    def receive_payment(
        self, cause: Cause, id: UUID, payment: Payment, expected: int | None = None
    ) -> Outcome:
        """Answers what is still due. Payments commute: one that lost a race is checked against
        what is due once more."""

        def receive() -> Saving:
            order = self.load(Order, id, expected=expected)
            order.receive_payment(payment, at=cause.at)
            return Saving((order,), {"due": order.due.model_dump(mode="json")})

        return self.execute(cause, receive, expected=expected, commutes=True)
