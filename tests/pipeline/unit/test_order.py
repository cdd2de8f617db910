from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from crm_events.contracts.pipeline import OrderAmended, OrderLine, PaymentReceived
from crm_events.event import Money
from crm_pipeline.domain.amounts import CurrencyMismatch, NegativeAmount
from crm_pipeline.domain.order import (
    Order,
    OrderExists,
    OrderFacts,
    PaidAlready,
    Payment,
    PaymentRefused,
)

from tests.pipeline.telling import CUSTOMER, PRODUCT, dollars, euros, placed
from tests.support.decisions import NOW, given

DEAL = UUID(int=31)
PAID_40 = PaymentReceived(amount=euros(40), customer_id=CUSTOMER)
ORDERED = placed(euros(100))
LINE = OrderLine(product_id=PRODUCT, quantity=Decimal(3), amount=euros(100))


def facts(total: Money, **more: Any) -> OrderFacts:
    return OrderFacts(CUSTOMER, total, **more)


def test_placing_records_what_was_bought() -> None:
    last_year = NOW - timedelta(days=365)
    said = facts(euros(100), lines=(LINE,), source="shop", region="Asia", segment="home")
    given(Order).when(lambda o: o.place(said, DEAL, at=last_year)).then(
        placed(
            euros(100),
            lines=(LINE,),
            deal_id=DEAL,
            source="shop",
            region="Asia",
            segment="home",
        )
    ).at(last_year)


def test_an_order_of_nothing_counts() -> None:
    given(Order).when(lambda o: o.place(facts(euros(0)), at=NOW)).then(placed(euros(0)))


def test_an_order_is_placed_once() -> None:
    given(Order, ORDERED).when(lambda o: o.place(facts(euros(1)), at=NOW)).then(OrderExists)


@pytest.mark.parametrize("before", [(), (ORDERED,)], ids=["placing", "amending"])
def test_an_order_never_comes_to_less_than_nothing(before: tuple[Any, ...]) -> None:
    def decide(order: Order) -> None:
        verb = order.amend if before else order.place
        verb(facts(euros(-1)), at=NOW)

    given(Order, *before).when(decide).then(NegativeAmount)


def test_lines_are_in_the_orders_currency() -> None:
    said = facts(dollars(100), lines=(LINE,))
    given(Order).when(lambda o: o.place(said, at=NOW)).then(CurrencyMismatch)


def test_amending_corrects_the_order_from_its_beginning() -> None:
    given(Order, ORDERED).when(lambda o: o.amend(facts(euros(120), source="web"), at=NOW)).then(
        OrderAmended(customer_id=CUSTOMER, total=euros(120), source="web")
    )
    given(Order, ORDERED).when(lambda o: o.amend(facts(euros("100.0")), at=NOW)).then()


def test_payments_come_in_parts_until_all_is_paid() -> None:
    rest = Payment(euros(60), "transfer", "R-7")
    decision = given(Order, ORDERED, PAID_40).when(lambda o: o.receive_payment(rest, at=NOW))
    decision.then(
        PaymentReceived(amount=euros(60), customer_id=CUSTOMER, method="transfer", reference="R-7")
    )
    assert decision.aggregate.due == euros(0)


@pytest.mark.parametrize("amount", ["60.01", "0", "-5"], ids=["too much", "nothing", "negative"])
def test_a_payment_is_above_zero_and_at_most_what_is_due(amount: str) -> None:
    given(Order, ORDERED, PAID_40).when(
        lambda o: o.receive_payment(Payment(euros(amount)), at=NOW)
    ).then(PaymentRefused)


def test_a_payment_is_in_the_orders_currency() -> None:
    given(Order, ORDERED).when(lambda o: o.receive_payment(Payment(dollars(5)), at=NOW)).then(
        CurrencyMismatch
    )


def test_an_order_comes_to_at_least_what_was_paid() -> None:
    given(Order, ORDERED, PAID_40).when(lambda o: o.amend(facts(euros("39.99")), at=NOW)).then(
        PaidAlready
    )
    given(Order, ORDERED, PAID_40).when(lambda o: o.amend(facts(dollars(50)), at=NOW)).then(
        PaidAlready
    )
    fits = given(Order, ORDERED, PAID_40).when(lambda o: o.amend(facts(euros(40)), at=NOW))
    assert fits.aggregate.due == euros(0)


def test_an_order_that_was_not_placed_says_nothing() -> None:
    with pytest.raises(LookupError):
        _ = Order(DEAL).due
