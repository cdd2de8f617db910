"""Rows of orders and of products."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from crm_events.contracts.pipeline import (
    OrderAmended,
    OrderLine,
    OrderPlaced,
    ProductChanged,
    ProductRegistered,
)
from crm_events.ids import derived_id

from tests.pipeline.telling import dollars, euros
from tests.support.contexts import SECRET, Running
from tests.support.importing import imported, rows, statuses

ORDER = {"customer_key": "00001", "ordered_at": "1997-01-01T00:00:00Z", "amount": "11.77"}
CUSTOMER = derived_id(SECRET, "file", "customer", "00001")
PRO = {"name": "GTX Pro", "series": "GTX", "price": "4821"}


async def test_order_is_placed_at_its_own_time(pipeline: Running) -> None:
    said = {"quantity": "2", "source": "web", "region": "Asia", "segment": "home"}
    (result,) = await imported(pipeline, "orders", rows(ORDER | said))
    line = OrderLine(quantity=Decimal(2), amount=euros("11.77"))
    assert pipeline.events(result["id"]) == [
        OrderPlaced(
            customer_id=CUSTOMER,
            total=euros("11.77"),
            lines=(line,),
            source="web",
            region="Asia",
            segment="home",
        )
    ]
    (stored,) = pipeline.log()
    assert stored.occurred_at == datetime(1997, 1, 1, tzinfo=UTC)
    assert stored.origin == "import"


async def test_customers_key_means_one_customer_per_source(pipeline: Running) -> None:
    results = await imported(pipeline, "orders", rows(ORDER, ORDER | {"amount": "5"}))
    elsewhere = await pipeline.post("/imports/orders", {"source": "other", "rows": rows(ORDER)})
    results += elsewhere.json()["results"]
    customers = [getattr(pipeline.events(r["id"])[0], "customer_id", None) for r in results]
    assert customers[0] == customers[1] == CUSTOMER
    assert customers[2] != CUSTOMER


async def test_customer_may_be_named_by_id(pipeline: Running) -> None:
    id = str(UUID(int=9))
    (result,) = await imported(pipeline, "orders", rows(ORDER | {"customer_id": id}))
    assert getattr(pipeline.events(result["id"])[0], "customer_id", None) == UUID(id)


async def test_repeated_rows_under_their_own_keys_all_count(pipeline: Running) -> None:
    results = await imported(pipeline, "orders", rows(ORDER, ORDER, keys=["h:1", "h:2"]))
    assert statuses(results) == ["accepted", "accepted"]
    assert len(pipeline.log()) == 2


async def test_same_file_again_changes_nothing(pipeline: Running) -> None:
    await imported(pipeline, "orders", rows(ORDER, ORDER))
    again = await imported(pipeline, "orders", rows(ORDER, ORDER))
    assert statuses(again) == ["unchanged", "unchanged"]
    assert pipeline.head() == 2


async def test_changed_row_amends_and_back_again(pipeline: Running) -> None:
    more = ORDER | {"amount": "12", "currency": "USD"}
    for row in (ORDER, more, ORDER):
        (result,) = await imported(pipeline, "orders", rows(row))
        assert result["status"] == "accepted"
    assert pipeline.events(result["id"])[1:] == [
        OrderAmended(customer_id=CUSTOMER, total=dollars(12)),
        OrderAmended(customer_id=CUSTOMER, total=euros("11.77")),
    ]


@pytest.mark.parametrize(
    ("changed", "column"),
    [
        ({"customer_key": None}, "customer_key"),
        ({"ordered_at": "1997-13-01T00:00:00Z"}, "ordered_at"),
        ({"ordered_at": "2099-01-01T00:00:00Z"}, "ordered_at"),
        ({"ordered_at": None}, "ordered_at"),
        ({"amount": "11,77"}, "amount"),
        ({"quantity": "-1"}, "quantity"),
        ({"amount": "-1"}, None),
    ],
)
async def test_one_bad_row_is_refused_and_the_rest_goes_in(
    pipeline: Running, changed: dict[str, Any], column: str | None
) -> None:
    results = await imported(pipeline, "orders", rows(ORDER, ORDER | changed, ORDER))
    assert statuses(results) == ["accepted", "refused", "accepted"]
    assert results[1].get("column") == column
    assert len(pipeline.log()) == 2


async def test_date_of_an_order_stays(pipeline: Running) -> None:
    await imported(pipeline, "orders", rows(ORDER))
    moved = ORDER | {"ordered_at": "1997-01-02T00:00:00Z"}
    (result,) = await imported(pipeline, "orders", rows(moved))
    assert (result["status"], result["column"]) == ("refused", "ordered_at")


async def test_dry_run_saves_nothing(pipeline: Running) -> None:
    assert statuses(await imported(pipeline, "orders", rows(ORDER), dry_run=True)) == ["accepted"]
    assert pipeline.head() == 0


async def test_unknown_option_refuses_the_file(pipeline: Running) -> None:
    body = {"source": "file", "rows": rows(ORDER), "options": {"curency": "EUR"}}
    answer = await pipeline.post("/imports/orders", body)
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/import-options")


async def test_product_without_a_number_is_one_piece(pipeline: Running) -> None:
    product = await pipeline.made("/products", {"name": "GTX Pro"})
    (result,) = await imported(pipeline, "orders", rows(ORDER | {"product_id": product}))
    (placed,) = pipeline.events(result["id"])
    assert isinstance(placed, OrderPlaced)
    assert placed.lines == (
        OrderLine(product_id=UUID(product), quantity=Decimal(1), amount=euros("11.77")),
    )


async def test_products_come_in_and_change(pipeline: Running) -> None:
    (result,) = await imported(pipeline, "products", rows(PRO, keys=["gtxpro"]))
    dearer = PRO | {"price": "4900", "currency": "USD"}
    await imported(pipeline, "products", rows(dearer, keys=["gtxpro"]))
    assert pipeline.events(result["id"]) == [
        ProductRegistered(name="GTX Pro", series="GTX", list_price=euros(4821)),
        ProductChanged(name="GTX Pro", series="GTX", list_price=dollars(4900)),
    ]


async def test_stub_that_deals_named_is_filled(pipeline: Running) -> None:
    named = {"source": "file", "kind": "product", "names": ["GTXPro"]}
    stub = (await pipeline.post("/names:resolve", named)).json()["matches"][0]
    assert (stub["how"], stub["stub"]) == ("new", True)
    (result,) = await imported(pipeline, "products", rows(PRO))
    assert result["id"] == stub["id"]
    assert pipeline.events(stub["id"]) == [
        ProductRegistered(name="GTXPro", stub=True),
        ProductChanged(name="GTX Pro", series="GTX", list_price=euros(4821)),
    ]
    match = (await pipeline.post("/names:resolve", named)).json()["matches"][0]
    assert (match["how"], match["stub"], match["known_as"]) == ("folded", False, "GTX Pro")
