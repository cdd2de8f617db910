"""Names in rows become ids before the rows are sent."""

from __future__ import annotations

import pytest
from crm_console.importing import KINDS
from crm_console.sending.references import ROUTES, UnknownName, field_of, with_ids

IDS = {
    ("contacts", "staff", "Ada"): "id-of-ada",
    ("contacts", "organisation", "Acme"): "id-of-acme",
    ("pipeline", "product", "Desk"): "id-of-desk",
    ("campaigns", "campaign", "Fair"): None,
}


def test_every_kind_of_file_has_its_route() -> None:
    assert ROUTES.keys() == KINDS.keys()


def test_names_are_sent_as_ids() -> None:
    row = {"owner": "Ada", "customer": "Acme", "product": "Desk", "amount": "7", "outcome": "won"}
    assert with_ids(ROUTES["deals"], row, IDS) == {
        "owner_id": "id-of-ada",
        "customer_id": "id-of-acme",
        "product_id": "id-of-desk",
        "amount": "7",
    }


def test_an_empty_name_is_sent_as_none() -> None:
    assert with_ids(ROUTES["leads"], {"owner": None}, IDS) == {"owner_id": None}


def test_what_a_row_does_not_speak_of_is_not_sent() -> None:
    assert with_ids(ROUTES["leads"], {"name": "Bo"}, IDS) == {"name": "Bo"}


def test_customers_of_orders_stay_keys() -> None:
    assert with_ids(ROUTES["orders"], {"customer": "7"}, IDS) == {"customer_key": "7"}


def test_an_unknown_campaign_refuses_the_row() -> None:
    with pytest.raises(UnknownName, match="there is no campaign 'Fair'; make it first") as raised:
        with_ids(ROUTES["deals"], {"campaign": "Fair"}, IDS)
    assert raised.value.field == "campaign"


@pytest.mark.parametrize(
    ("kind", "column", "field"),
    [
        ("tickets", "agent_id", "agent"),
        ("orders", "customer_key", "customer"),
        ("orders", "ordered_at", "ordered_at"),
        ("staff", "manager_id", "manager"),
    ],
)
def test_columns_of_contexts_are_called_as_in_the_file(kind: str, column: str, field: str) -> None:
    assert field_of(ROUTES[kind], column) == field
