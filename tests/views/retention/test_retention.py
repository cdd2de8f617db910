"""Retention's definitions, on histories small enough to check by hand."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from crm_events.contracts.pipeline import OrderAmended, OrderPlaced
from crm_events.event import Money
from crm_projections.engine.view import Answer
from crm_projections.views.retention.projector import RetentionView

from tests.support.viewing import UTC_EURO, Told, Viewing, at, identity

JAN1 = at("2026-01-01")


def order(name: str, customer: str, when: datetime, amount: str = "10", **facts: Any) -> Told:
    total = Money(amount=Decimal(amount), currency="EUR")
    event = OrderPlaced(customer_id=identity(customer), total=total, **facts)
    return Told(name, event, when)


def amended(name: str, customer: str, when: datetime, amount: str) -> Told:
    total = Money(amount=Decimal(amount), currency="EUR")
    return Told(name, OrderAmended(customer_id=identity(customer), total=total), when)


def cells(answer: Answer, name: str, row: int = 0) -> list[Any]:
    return [cell[name] for cell in answer.rows[row]["cells"]]


@pytest.fixture
def retention() -> Viewing:
    return Viewing(RetentionView(UTC_EURO))


@pytest.fixture
def three_users(retention: Viewing) -> Viewing:
    """Three first orders on day 0; one returns on day 1, one on day 5, one never."""
    retention.tell(*(order(f"o{user}", user, JAN1) for user in "abc"))
    retention.tell(order("a1", "a", JAN1 + timedelta(days=1)))
    retention.tell(order("b5", "b", JAN1 + timedelta(days=5)))
    return retention


def test_classic_retention_counts_the_day_itself(three_users: Viewing) -> None:
    answer = three_users.ask(every="1d")
    assert cells(answer, "active") == [3, 1, 0, 0, 0, 1]


def test_unbounded_retention_counts_the_day_or_any_later(three_users: Viewing) -> None:
    answer = three_users.ask(every="1d", mode="unbounded")
    assert cells(answer, "active") == [3, 2, 1, 1, 1, 1]
    assert [round(share, 2) for share in cells(answer, "retention")][:3] == [1.0, 0.67, 0.33]


def test_customer_retention_is_by_sets_and_textbook_beside_it(retention: Viewing) -> None:
    """100 active at the start, 10 lost; 20 acquired, of whom 5 left again."""
    before, during, late = at("2026-03-20"), at("2026-04-20"), at("2026-06-20")
    retention.tell(*(order(f"s{n}", f"s{n}", before) for n in range(100)))
    retention.tell(*(order(f"n{n}", f"n{n}", during) for n in range(20)))
    retention.tell(*(order(f"S{n}", f"s{n}", late) for n in range(90)))
    retention.tell(*(order(f"N{n}", f"n{n}", late) for n in range(15)))
    totals = retention.ask(start="2026-04-01", end="2026-07-01", active_days=30).totals
    assert totals["active"] == 105
    assert totals["customer_retention_rate"] == 0.9
    assert totals["customer_retention_rate_textbook"] == 0.85


def test_repeat_rate_by_order_and_by_day_differ(retention: Viewing) -> None:
    retention.tell(order("1", "a", JAN1), order("2", "a", JAN1), order("3", "b", JAN1))
    retention.tell(order("4", "b", at("2026-01-02")), order("5", "c", JAN1))
    totals = retention.ask().totals
    assert round(totals["repeat_rate"], 4) == 0.6667
    assert round(totals["repeat_rate_by_day"], 4) == 0.3333


def test_cohorts_are_calendar_months_of_the_first_order(retention: Viewing) -> None:
    retention.tell(order("1", "a", at("2026-01-31")), order("2", "b", at("2026-02-01")))
    retention.tell(order("3", "a", at("2026-02-01"), "5"))
    answer = retention.ask()
    assert [(row["cohort"], row["size"]) for row in answer.rows] == [("2026-01", 1), ("2026-02", 1)]
    assert cells(answer, "active") == [1, 1]
    assert [value["amount"] for value in cells(answer, "revenue")] == ["10", "5"]


def test_cell_is_complete_when_its_month_is_over(retention: Viewing) -> None:
    retention.tell(order("1", "a", at("2026-01-15")))
    assert cells(retention.ask(as_of="2026-02-10"), "complete") == [True, False]
    answer = retention.ask(as_of="2026-01-20")
    assert cells(answer, "complete") == [False]


def test_as_of_given_extends_the_columns(retention: Viewing) -> None:
    retention.tell(order("1", "a", JAN1))
    assert cells(retention.ask(as_of="2026-03-15"), "active") == [1, 0, 0]
    assert cells(retention.ask(), "active") == [1]


def test_order_amended_changes_now_but_no_old_known_at(retention: Viewing) -> None:
    retention.tell(order("1", "a", JAN1, "10"))
    published = dict(retention.sequences)
    retention.tell(amended("1", "a", JAN1, "25"))
    assert retention.ask().totals["revenue"]["amount"] == "25"
    assert retention.ask(known=published).totals["revenue"]["amount"] == "10"


def test_several_amendments_in_one_batch_keep_each_belief(retention: Viewing) -> None:
    retention.tell(order("1", "a", JAN1, "10"), amended("1", "a", JAN1, "20"))
    retention.tell(amended("1", "a", JAN1, "30"), amended("1", "a", JAN1, "40"))
    believed = [
        retention.ask(known={"pipeline": known}).totals["revenue"]["amount"]
        for known in (1, 2, 3, 4)
    ]
    assert believed == ["10", "20", "30", "40"]
    assert retention.ask().totals["orders"] == 1


def test_group_is_the_value_on_the_first_order(retention: Viewing) -> None:
    retention.tell(order("1", "a", JAN1, source="web"), order("2", "b", JAN1))
    retention.tell(order("3", "a", at("2026-02-01"), source="shop"))
    groups = retention.ask(by="source").groups or []
    found = [(group["key"], group["totals"]["customers"]) for group in groups]
    assert found == [(None, 1), ("web", 1)]
    assert groups[1]["totals"]["orders"] == 2


def test_nothing_ordered_is_null_not_zero(retention: Viewing) -> None:
    totals = retention.ask().totals
    assert (totals["customers"], totals["repeat_rate"]) == (0, None)


def test_effects_after_as_of_are_not_seen(retention: Viewing) -> None:
    retention.tell(order("1", "a", JAN1), order("2", "a", at("2026-05-01")))
    assert retention.ask(as_of="2026-03-01").totals["orders"] == 1
