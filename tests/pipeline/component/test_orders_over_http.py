"""Orders by their routes."""

from decimal import Decimal
from typing import Any

import pytest
from crm_events.contracts.pipeline import OrderAmended, OrderLine, PaymentReceived
from crm_events.ids import new_id

from tests.pipeline.telling import CUSTOMER, euros, placed
from tests.support.contexts import Running

ORDER: dict[str, Any] = {
    "customer_id": str(CUSTOMER),
    "total": {"amount": "100", "currency": "EUR"},
}


def pay(amount: str, currency: str = "EUR") -> dict[str, Any]:
    return {"amount": {"amount": amount, "currency": currency}}


async def test_an_order_is_placed_and_paid_in_parts(sales: Running) -> None:
    deal = await sales.made("/deals", {"pipeline": "sales"})
    line = {"quantity": "2", "amount": {"amount": "100", "currency": "EUR"}}
    said = {**ORDER, "deal_id": deal, "lines": [line], "source": "shop", "region": "Asia"}
    id = await sales.made("/orders", said)
    first = await sales.post(f"/orders/{id}:receive-payment", pay("40") | {"method": "card"})
    assert first.json()["due"] == {"amount": "60", "currency": "EUR"}
    await sales.post(f"/orders/{id}:receive-payment", pay("60"))
    bought = (OrderLine(quantity=Decimal(2), amount=euros(100)),)
    assert [e.model_dump() for e in sales.events(id)] == [
        e.model_dump()
        for e in (
            placed(euros(100), lines=bought, deal_id=deal, source="shop", region="Asia"),
            PaymentReceived(amount=euros(40), customer_id=CUSTOMER, method="card"),
            PaymentReceived(amount=euros(60), customer_id=CUSTOMER),
        )
    ]


async def test_more_than_is_due_is_refused(sales: Running) -> None:
    id = await sales.made("/orders", ORDER)
    answer = await sales.post(f"/orders/{id}:receive-payment", pay("100.01"))
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/payment-refused")
    assert len(sales.events(id)) == 1


async def test_another_currency_is_refused(sales: Running) -> None:
    id = await sales.made("/orders", ORDER)
    answer = await sales.post(f"/orders/{id}:receive-payment", pay("5", "USD"))
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/currency-mismatch")


async def test_amending_keeps_what_is_not_named(sales: Running) -> None:
    id = await sales.made("/orders", {**ORDER, "source": "shop", "segment": "home"})
    await sales.post(f"/orders/{id}:amend", {"segment": None, "total": pay("80")["amount"]})
    assert sales.events(id)[1:] == [
        OrderAmended(customer_id=CUSTOMER, total=euros(80), source="shop")
    ]


async def test_an_order_never_comes_to_less_than_was_paid(sales: Running) -> None:
    id = await sales.made("/orders", ORDER)
    await sales.post(f"/orders/{id}:receive-payment", pay("70"))
    answer = await sales.post(f"/orders/{id}:amend", {"total": pay("69")["amount"]})
    assert (answer.status_code, answer.json()["type"]) == (409, "/problems/paid-already")


@pytest.mark.parametrize("field", ["customer_id", "total"])
async def test_an_order_keeps_customer_and_total(sales: Running, field: str) -> None:
    id = await sales.made("/orders", ORDER)
    answer = await sales.post(f"/orders/{id}:amend", {field: None})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_an_order_of_an_unknown_deal_is_refused(sales: Running) -> None:
    answer = await sales.post("/orders", {**ORDER, "deal_id": str(new_id())})
    assert (answer.status_code, answer.json()["type"]) == (404, "/problems/not-found")
