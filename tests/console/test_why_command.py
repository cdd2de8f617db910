"""`crm why`: the tree of causes of an event, joined over the contexts."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from crm_console.causes import tree_of
from crm_console.transport import OverHttp
from crm_events.ids import new_id

from tests.console.homes import Crm, Office


def events(nodes: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for node in nodes:
        yield node
        yield from events(node["caused"])


def opened_by_a_lead(crm: Crm) -> Mapping[str, Any]:
    """The opening of a deal that a converted lead caused in another context."""
    for deal in json.loads(crm("list", "deals").out):
        opening = json.loads(crm("history", "deal", deal["id"]).out)["events"][0]
        if opening["causation_id"]:
            found: Mapping[str, Any] = opening
            return found
    raise AssertionError("no deal of the sample comes from a lead")


def test_an_effect_leads_up_to_its_command_in_another_context(crm: Crm) -> None:
    opening = opened_by_a_lead(crm)
    tree = json.loads(crm("why", opening["event_id"]).out)
    found = list(events(tree["events"]))
    by_id = {event["id"]: event for event in found}
    cause = by_id[opening["causation_id"]]
    assert (cause["event"], cause["context"]) == ("LeadConverted", "contacts")
    assert opening["event_id"] in [event["id"] for event in cause["caused"]]
    assert tree["command"]["command_id"] == tree["events"][0]["command_id"]
    assert {event["correlation_id"] for event in found} == {opening["correlation_id"]}
    assert len(by_id) == len(found)


def test_the_tree_is_the_same_from_each_of_its_events(crm: Crm) -> None:
    opening = opened_by_a_lead(crm)
    tree = json.loads(crm("why", opening["event_id"]).out)
    for event in events(tree["events"]):
        assert json.loads(crm("why", event["id"]).out)["events"] == tree["events"]


def test_a_terminal_sees_a_tree_and_a_file_lines_with_a_depth(crm: Crm) -> None:
    opening = opened_by_a_lead(crm)
    drawn = crm("why", opening["event_id"], "-o", "table").out
    assert "► DealOpened" in drawn
    assert drawn.index("LeadConverted") < drawn.index("DealOpened")
    rows = list(csv.DictReader(io.StringIO(crm("why", opening["event_id"], "-o", "csv").out)))
    depth = {row["event"]: int(row["depth"]) for row in rows}
    assert depth["DealOpened"] == depth["LeadConverted"] + 1


def test_a_tree_that_is_too_large_says_so(crm: Crm, office: Office) -> None:
    opening = opened_by_a_lead(crm)
    with OverHttp(office.address) as transport:
        assert tree_of(transport, opening["event_id"]).whole
        assert not tree_of(transport, opening["event_id"], most=0).whole


def test_what_is_no_event_is_said(crm: Crm) -> None:
    missing = str(new_id())
    done = crm("why", missing)
    assert (done.code, f"No context has an event {missing}" in done.err) == (2, True)
    assert crm("why", "sales").code == 2


def test_a_cell_that_is_not_there_is_said(crm: Crm) -> None:
    cohort = crm.view("retention")["rows"][0]["cohort"]
    for place, why in (
        (f"{cohort}/99", f"There is no cell {cohort}/99: on 20"),
        ("1999-01/0", "There is no cell 1999-01/0: no customer's first order lies in 1999-01."),
    ):
        done = crm("why", "retention", "--cell", place)
        assert (done.code, done.out) == (2, "")
        assert done.err.startswith(f"crm: {why}")
        assert done.err.count("\n") == 1


def test_a_month_of_satisfaction_is_opened(crm: Crm) -> None:
    groups = crm.view("satisfaction", "--by", "month")["groups"]
    for group in groups:
        for figure, options in (("responses", ()), ("tickets", ("--figure", "tickets"))):
            done = crm("why", "satisfaction", "--cell", group["key"], *options)
            assert done.code == 0, done.err
            assert done.json["value"] == group["totals"][figure]
    week = crm.view("satisfaction", "--by", "week")["groups"][0]
    found = crm("why", "satisfaction", "--cell", week["key"]).json
    assert found["value"] == len(found["events"]) == week["totals"]["responses"]


def test_a_cell_between_two_days_is_opened(crm: Crm) -> None:
    cohort = crm.view("retention")["rows"][0]["cohort"]
    asked = ("diff", f"{cohort}-01", "2030-01-01", "retention", "--cell", f"{cohort}/0")
    found = crm(*asked, "--events", "-o", "json").json
    active, revenue = found["figures"]
    assert (active["figure"], active["row"], active["offset"]) == ("active", cohort, 0)
    assert active["difference"] == sum(
        each["added"]
        for event in found["events"]
        for each in event["added"]
        if each["figure"] == "active"
    )
    assert (revenue["figure"], found["derived"]) == ("revenue", [])
    assert "derived" not in crm(*asked, "-o", "table").out


DEAL = "0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e"
REFUSED: list[tuple[list[str], str]] = [
    (["why", "funnel"], "crm: --figure: required"),
    (["why", "funnel", "--cell", "2026-01/1"], "'2026-01/1' is no cell of funnel"),
    (["why", "satisfaction", "--cell", "2026-13"], "'2026-13' is no month; name one as 2026-05"),
    (["why", "retention", "--figure", "revenue", "--as-of", "x"], "crm: --as-of: 'x' is no date"),
    (["diff", "soon", "2026-01-01", "funnel"], "crm: the first date: 'soon' is no date"),
    (["diff", "2026-01-01", "soon", "funnel"], "crm: the second date: 'soon' is no date"),
    (["diff", "2026-01-01", "soon", "funnel", "--known"], "crm: the second date: 'soon' is no"),
    (["diff", "2026-01-01", "2026-02-01", "planet"], "There is no view 'planet'; there are:"),
    (["as-of", "soon", "funnel"], "crm: the date: 'soon' is no date"),
    (["as-of", "soon", "deal", DEAL], "crm: the date: 'soon' is no date"),
    (["as-of", "2026-01-01", "deal", "x"], "crm: 'x' is no id; ids are like"),
    (["history", "deal", "x"], "crm: 'x' is no id; ids are like"),
    (["history", "deal", DEAL, "--known-at", "x"], "crm: --known-at: 'x' is no date"),
    (["report", "run", "funnel", "--by", "planet"], "crm: --by: Input should be 'owner'"),
    (["export", "events", "--to", "x", "--out", "x.csv"], "crm: --to: 'x' is no date"),
]


@pytest.mark.parametrize(
    ("asked", "why"), REFUSED, ids=[" ".join(asked[:3]) for asked, _ in REFUSED]
)
def test_refusals_name_what_was_typed(crm: Crm, asked: list[str], why: str) -> None:
    done = crm(*asked)
    assert (done.code, done.out) == (2, "")
    assert why in " ".join(done.err.split())
