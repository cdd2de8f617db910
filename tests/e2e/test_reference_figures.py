"""Published figures of real data come out equal, in one process and over Kafka and PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from tests.e2e.conftest import IMPORTS, Deployment, bring
from tests.support.reference import reference_data

pytestmark = pytest.mark.data


def reference(name: str) -> Any:
    return json.loads(reference_data("reference", f"{name}.json").read_text())


def percent(ratio: float) -> float:
    return round(100 * ratio, 2)


NOBODY = "–"
"""Stands for the group of units without a value."""


def by_name(answer: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {group["name"] or NOBODY: group["totals"] for group in answer["groups"]}


def test_deals_stand_where_the_file_says(imported: Deployment) -> None:
    answer = imported.crm.view("funnel", "--mode", "snapshot")
    found = {row["stage"]: row["standing"] for row in answer["rows"]}
    assert found == reference("maven_crm")["stages"]


def test_funnel_totals_equal_the_reference(imported: Deployment) -> None:
    expected = reference("maven_crm")
    totals = imported.crm.view("funnel")["totals"]
    assert percent(totals["win_rate_closed"]) == expected["total"]["win_rate_closed_pct"]
    assert percent(totals["won_share_all"]) == expected["total"]["won_share_all_pct"]
    assert float(totals["won_amount"]["amount"]) == expected["revenue_won"]
    assert round(float(totals["won_amount_mean"]["amount"]), 2) == expected["total"]["avg_won"]
    assert round(totals["days_to_close_mean"], 4) == expected["avg_days_closed"]
    assert round(totals["days_to_win_mean"], 3) == expected["avg_days_won"]
    assert totals["days_to_win_median"] == expected["median_days_won"]
    assert totals["history_unknown"] == expected["blanks"]["engage_date"]


@pytest.mark.parametrize("by", ["region", "manager", "product", "owner"])
def test_funnel_by_group_equals_the_reference(imported: Deployment, by: str) -> None:
    expected = reference("maven_crm")["by_agent" if by == "owner" else f"by_{by}"]
    found = by_name(imported.crm.view("funnel", "--by", by))
    assert found.keys() == expected.keys()
    for name, row in expected.items():
        assert figures_of(found[name]) == row, name


def figures_of(totals: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "opps": totals["units"],
        "won": totals["won"],
        "lost": totals["lost"],
        "open": totals["open"],
        "win_rate_closed_pct": percent(totals["win_rate_closed"]),
        "won_share_all_pct": percent(totals["won_share_all"]),
        "revenue": float(totals["won_amount"]["amount"]),
        "avg_won": round(float(totals["won_amount_mean"]["amount"]), 2),
    }


def test_revenue_by_sector_equals_the_reference(imported: Deployment) -> None:
    expected = reference("maven_crm")
    found = by_name(imported.crm.view("funnel", "--by", "sector"))
    assert found.pop(NOBODY)["units"] == expected["blanks"]["account"]
    revenue = {name: float(totals["won_amount"]["amount"]) for name, totals in found.items()}
    assert revenue == expected["revenue_by_sector"]


def test_satisfaction_equals_the_reference(imported: Deployment) -> None:
    expected = reference("pwc_call_center")["pwc_call_center"]["total"]
    answer = imported.crm.view("satisfaction")
    assert satisfaction_of(answer) == satisfaction_in(expected)
    totals = answer["totals"]
    assert (totals["surveys_delivered"], totals["responses"]) == (5_000, 4_054)
    assert totals["top2_box_low"] < totals["top2_box"] < totals["top2_box_high"]


@pytest.mark.parametrize(("by", "key"), [("agent", "by_agent"), ("category", "by_topic")])
def test_satisfaction_by_group_equals_the_reference(
    imported: Deployment, by: str, key: str
) -> None:
    expected = reference("pwc_call_center")["pwc_call_center"][key]
    groups = imported.crm.view("satisfaction", "--by", by)["groups"]
    found = {group["name"]: satisfaction_of(group) for group in groups}
    assert found == {name: satisfaction_in(row) for name, row in expected.items()}


def test_satisfaction_by_month_equals_the_reference(imported: Deployment) -> None:
    expected = reference("pwc_call_center")["pwc_call_center"]["by_month"]
    groups = imported.crm.view("satisfaction", "--by", "month")["groups"]
    found = {group["key"]: satisfaction_of(group) for group in groups}
    assert found == {month: satisfaction_in(row) for month, row in expected.items()}


def satisfaction_of(group: Mapping[str, Any]) -> dict[str, Any]:
    totals = group["totals"]
    return {
        "tickets": totals["tickets"],
        "responses": totals["responses"],
        "mean": round(totals["mean"], 4),
        "top2": percent(totals["top2_box"]),
        "bottom2": percent(totals["bottom2_box"]),
        "distribution": group["distribution"],
    }


def satisfaction_in(row: Mapping[str, Any]) -> dict[str, Any]:
    csat = row["csat"]
    return {
        "tickets": row["calls"],
        "responses": csat["responses"],
        "mean": csat["mean"],
        "top2": csat["top2_box_pct"],
        "bottom2": csat["bottom2_box_pct"],
        "distribution": csat["dist"],
    }


def test_retention_triangle_equals_the_reference(imported: Deployment) -> None:
    expected = reference("cdnow")["master"]
    rows = imported.crm.view("retention")["rows"]
    assert cells(rows, lambda cell: cell["active"]) == expected["cohort_active_customers"]
    shares = cells(rows, lambda cell: percent(cell["retention"]))
    assert shares == expected["cohort_retention_pct"]
    revenue = cells(rows, lambda cell: float(cell["revenue"]["amount"]))
    assert revenue == expected["cohort_revenue"]


def cells(rows: Sequence[Mapping[str, Any]], value: Any) -> dict[str, list[Any]]:
    return {row["cohort"]: [value(cell) for cell in row["cells"]] for row in rows}


def test_retention_totals_equal_the_reference(imported: Deployment) -> None:
    expected = reference("cdnow")["master"]
    totals = imported.crm.view("retention")["totals"]
    assert (totals["customers"], totals["orders"]) == (expected["customers"], expected["rows"])
    assert float(totals["revenue"]["amount"]) == expected["revenue"]
    assert percent(totals["repeat_rate"]) == expected["repeat_rate_by_rows_pct"]
    assert percent(totals["repeat_rate_by_day"]) == expected["repeat_rate_by_distinct_day_pct"]


def test_the_same_file_again_adds_nothing(imported: Deployment) -> None:
    kind, file, *options = IMPORTS[3]
    done = bring(imported, kind, file, *options)
    assert (done.code, done.json["changed_nothing"], done.json["accepted"]) == (0, 8_800, 0)


def test_nothing_was_recorded_before_the_import(imported: Deployment) -> None:
    """Historic dates are effective times; what was recorded is recorded now."""
    then = imported.crm.view("funnel", "--known-at", "2018-01-01", "--set", "pipeline=leads")
    assert then["totals"]["units"] == 0
    half = imported.crm.view("funnel", "--mode", "snapshot", "--as-of", "2017-02-28")["totals"]
    assert (half["won"], half["lost"]) == (0, 0)
