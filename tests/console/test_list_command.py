"""`crm list`: what stands behind the funnel's numbers, for people and machines."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.console.homes import Crm
from tests.console.test_view_command import table_of


@pytest.mark.parametrize(("kind", "pipeline"), [("deals", None), ("leads", "leads")])
@pytest.mark.parametrize("state", ["open", "won", "lost"])
def test_as_many_as_the_funnel_says(crm: Crm, kind: str, pipeline: str | None, state: str) -> None:
    chosen = ("--set", f"pipeline={pipeline}") if pipeline else ()
    totals = crm.view("funnel", *chosen)["totals"]
    units = json.loads(crm("list", kind, "--state", state, "--limit", "5000").out)
    assert len(units) == totals[state]
    assert {unit["state"] for unit in units} <= {state}


def test_group_of_a_view_is_listed_by_its_key(crm: Crm) -> None:
    group = max(
        crm.view("funnel", "--by", "owner")["groups"], key=lambda found: found["totals"]["units"]
    )
    units = json.loads(crm("list", "deals", "--by", "owner", "--key", group["key"]).out)
    assert len(units) == group["totals"]["units"]
    assert {unit["owner_name"] for unit in units} == {group["name"]}


def test_table_shows_names_and_says_that_there_is_more(crm: Crm) -> None:
    done = crm("list", "deals", "--limit", "3", "-o", "table")
    lines = table_of(done.out)
    assert lines[0][:4] == ["id", "state", "stage", "amount"]
    assert len(lines) == 4
    assert "more than these 3" in done.err


def test_csv_has_every_column(crm: Crm) -> None:
    units = json.loads(crm("list", "deals").out)
    rows = list(csv.DictReader(io.StringIO(crm("list", "deals", "-o", "csv").out)))
    assert [row["id"] for row in rows] == [unit["id"] for unit in units]
    assert set(units[0]) <= set(rows[0])


def test_nothing_stood_before_the_first_day(crm: Crm) -> None:
    assert (
        json.loads(crm("list", "deals", "--as-of", "1999-12-31", "--pipeline", "leads").out) == []
    )


def test_unknown_stage_is_refused_with_those_there_are(crm: Crm) -> None:
    done = crm("list", "deals", "--stage", "nowhere")
    assert done.code == 2
    assert "no stage 'nowhere'; it has:" in done.err
