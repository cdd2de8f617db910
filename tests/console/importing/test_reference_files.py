"""Real files with known contents; no figure here is the importer's own."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from crm_console.importing import ImportFile, ImportOptions, ImportRow, open_table

pytestmark = pytest.mark.data

STAGES = ImportOptions(stages=("Prospecting", "Engaging"), won=("Won",), lost=("Lost",))


def rows(file: ImportFile) -> list[ImportRow]:
    """All rows; none may be refused."""
    results = list(file.rows())
    assert file.counts.refused == 0
    return [result for result in results if isinstance(result, ImportRow)]


def values(path: Path, kind: str, options: ImportOptions | None = None) -> list[dict[str, Any]]:
    return [row.values for row in rows(open_table(path, kind, options))]


def test_opportunities_of_a_sales_team(data: Path) -> None:
    opened = open_table(data / "maven_crm/sales_pipeline.csv", "deals", STAGES)
    deals = rows(opened)
    assert opened.mapping.unused == ()
    assert len(deals) == 8_800
    assert Counter(deal.values["stage"] for deal in deals) == {
        "Won": 4_238, "Lost": 2_473, "Engaging": 1_589, "Prospecting": 500
    }  # fmt: skip
    first = deals[0]
    assert (first.line, first.key, first.keyed) == (2, "1C1I7A6R", True)
    assert first.values == {
        "customer": "Cancity",
        "owner": "Moses Frase",
        "product": "GTX Plus Basic",
        "stage": "Won",
        "outcome": "won",
        "opened_at": "2016-10-20T00:00:00Z",
        "closed_at": "2017-03-01T00:00:00Z",
        "amount": "1054",
    }
    assert first.date_only == ("closed_at", "opened_at")
    won = [int(str(d.values["amount"])) for d in deals if d.values["outcome"] == "won"]
    assert sum(won) == 10_005_534
    assert sum(deal.values["customer"] is None for deal in deals) == 1_425
    assert sum(deal.values["opened_at"] is None for deal in deals) == 500


def test_accounts_products_and_teams(data: Path) -> None:
    accounts = values(data / "maven_crm/accounts.csv", "organisations")
    assert len(accounts) == 85
    assert accounts[0] == {
        "name": "Acme Corporation",
        "sector": "technolgy",
        "region": "United States",
        "size": "2822",
        "revenue": "1100.04",
        "parent": None,
    }
    products = values(data / "maven_crm/products.csv", "products", ImportOptions(currency="USD"))
    assert [product["price"] for product in products] == [
        "550", "4821", "55", "3393", "5482", "1096", "26768"
    ]  # fmt: skip
    staff = values(data / "maven_crm/sales_teams.csv", "staff")
    assert len(staff) == 35
    assert Counter(member["region"] for member in staff) == {"Central": 11, "East": 12, "West": 12}


def test_names_that_differ_by_a_blank_have_one_key(data: Path) -> None:
    products = rows(open_table(data / "maven_crm/products.csv", "products"))
    deals = values(data / "maven_crm/sales_pipeline.csv", "deals", STAGES)
    assert "GTXPro" in {deal["product"] for deal in deals}
    assert [p.key for p in products if p.values["name"] == "GTX Pro"] == ["gtxpro"]


def test_calls_of_a_call_centre(data: Path) -> None:
    calls = values(data / "pwc_call_center/call_center.csv", "tickets")
    assert len(calls) == 5_000
    assert calls[0] == {
        "agent": "Diane",
        "category": "Contract related",
        "opened_at": "2021-01-01T09:12:58Z",
        "answered": True,
        "resolved": True,
        "rating": 3,
    }
    ratings = [call["rating"] for call in calls if call["rating"] is not None]
    assert (len(ratings), round(sum(ratings) / len(ratings), 4)) == (4_054, 3.4036)
    assert (sum(c["answered"] for c in calls), sum(c["resolved"] for c in calls)) == (4_054, 3_646)


def test_orders_of_a_record_shop(data: Path) -> None:
    orders = rows(open_table(data / "cdnow/CDNOW_master.txt", "orders"))
    assert len(orders) == 69_659
    assert len({order.key for order in orders}) == 69_659
    assert sum(not order.key.endswith(":1") for order in orders) == 255
    assert len({order.values["customer"] for order in orders}) == 23_570
    assert orders[0].values == {
        "customer": "00001",
        "ordered_at": "1997-01-01T00:00:00Z",
        "amount": "11.77",
        "quantity": "1",
    }
    assert sum(order.values["amount"] == "0" for order in orders) == 80


def test_orders_of_a_file_without_header(data: Path) -> None:
    columns = ("number", "customer", "date", "quantity", "amount")
    path = data / "cdnow/CDNOW_sample.txt"
    orders = rows(open_table(path, "orders", ImportOptions(columns=columns)))
    assert (len(orders), orders[0].line) == (6_919, 1)
    assert orders[0].values["amount"] == "29.33"


def test_export_of_a_help_desk(data: Path) -> None:
    file = open_table(data / "zendesk_seed/ticket_data.csv", "tickets")
    results = list(file.rows())
    assert (file.counts.read, file.counts.accepted) == (10, 8)
    assert [r.value for r in results if not isinstance(r, ImportRow)] == ["deleted"] * 2
    second = results[1]
    assert isinstance(second, ImportRow)
    assert (second.key, second.values["resolved"]) == ("16988", True)
    assert second.values["opened_at"] == "2020-12-22T00:19:23Z"
