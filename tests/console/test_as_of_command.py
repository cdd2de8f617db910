"""`crm as-of`: views and things as they were on a day, and as they were known on another."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from crm_console.home import Home
from crm_events.ids import new_id

from tests.console.homes import Crm
from tests.console.test_history_command import won_deal
from tests.console.test_view_command import table_of

VIEWS = ("funnel", "satisfaction", "retention")


def steps_of(crm: Crm, deal: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = crm("history", "deal", deal, "--step", "-o", "json").json
    return found


def day_of(step: dict[str, Any]) -> str:
    return str(step["occurred_at"])[:10]


def day_before(day: str) -> str:
    return (date.fromisoformat(day) - timedelta(days=1)).isoformat()


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_is_as_crm_view_has_it(crm: Crm, view: str) -> None:
    now = crm.view(view)["totals"]
    for options in (("--from", "2026-05-01"), ("--known-at", "2020-01-01")):
        found = crm("as-of", "2026-06-01", view, *options, "-o", "json")
        assert found.json == crm.view(view, "--as-of", "2026-06-01", *options)
        assert found.json["totals"] != now
    shown = crm("as-of", "2026-06-01", view, "-o", "table").out
    assert shown == crm("view", view, "--as-of", "2026-06-01", "-o", "table").out


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_the_calendars_ends_are_days_too(crm: Crm, view: str, day: str) -> None:
    assert crm("as-of", day, view, "-o", "csv").code == 0
    assert crm("view", view, "--from", "0001-01-01", "--to", day, "--as-of", day).code == 0


def test_a_deal_is_on_each_day_what_its_history_says(crm: Crm) -> None:
    deal = won_deal(crm)
    steps = steps_of(crm, deal)
    days = {day_of(step): step for step in steps}  # the last of each day
    assert len(days) > 1
    for day, step in days.items():
        found = crm("as-of", day, "deal", deal, "-o", "json").json
        assert found["record"] == step["after"]
        assert found["last"]["event_id"] == step["event_id"]
        assert found["as_of"].startswith(f"{day}T23:59:59")


def test_table_and_csv_have_every_field_and_the_last_event(crm: Crm) -> None:
    deal = won_deal(crm)
    record = crm("as-of", "2026-06-30", "deal", deal, "-o", "json").json["record"]
    shown = crm("as-of", "2026-06-30", "deal", deal, "-o", "table").out
    assert f"deal {deal} as of 2026-06-30 23:59:59 UTC; last was DealWon" in " ".join(shown.split())
    assert [line[0] for line in table_of(shown)] == ["field", *record]
    read = csv.DictReader(io.StringIO(crm("as-of", "2026-06-30", "deal", deal, "-o", "csv").out))
    assert [row["field"] for row in read] == list(record)


def test_a_lead_is_a_contact(crm: Crm) -> None:
    lead = crm("list", "leads", "-o", "json").json[0]["id"]
    found = crm("as-of", "2026-06-30", "contact", lead, "-o", "json").json
    assert found["kind"] == "contact"
    as_lead = crm("as-of", "2026-06-30", "lead", lead, "-o", "json").json
    assert found["record"] == as_lead["record"] != {}


def test_what_was_recorded_later_was_not_known(crm: Crm) -> None:
    deal = won_deal(crm)
    recorded = crm("history", "deal", deal).json["events"][0]["recorded_at"][:10]
    known = crm("as-of", "2026-06-30", "deal", deal, "--known-at", recorded, "-o", "json").json
    assert known["known_at"].startswith(f"{recorded}T23:59:59")
    never = crm("as-of", "2026-06-30", "deal", deal, "--known-at", day_before(recorded))
    assert (never.code, never.out) == (2, "")
    assert (
        f"did not exist at 2026-06-30, as far as was known by {day_before(recorded)}" in never.err
    )


def test_before_it_began_it_was_not_there(crm: Crm) -> None:
    deal = won_deal(crm)
    before = day_before(day_of(steps_of(crm, deal)[0]))
    for asked in (("as-of", before, "deal", deal), ("history", "deal", deal, "--as-of", before)):
        done = crm(*asked)
        assert (done.code, done.out) == (2, "")
        assert f"The deal {deal} did not exist at {before}" in done.err


def test_a_history_ends_with_the_day(crm: Crm) -> None:
    deal = won_deal(crm)
    steps = steps_of(crm, deal)
    day = day_of(steps[0])
    events = crm("history", "deal", deal, "--as-of", day).json["events"]
    ids = [event["event_id"] for event in events]
    assert ids == [step["event_id"] for step in steps if day_of(step) <= day]
    assert len(ids) < len(steps)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("soon", "funnel"), "'soon' is no date or time"),
        (("soon", "deal", str(new_id())), "'soon' is no date or time"),
        (("2026-02-30", "retention"), "'2026-02-30' is no date or time"),
        (("2026-06-30", "deal", str(new_id()), "--known-at", "x"), "'x' is no date or time"),
        (("2026-06-30", "deal", str(new_id())), "pipeline has no record"),
        (("2026-06-30", "deal", "the big one"), "id"),
        (("2026-06-30", "deal"), "name the deal by its id"),
        (("2026-06-30", "dream"), "'dream' is neither of funnel"),
        (("2026-06-30", "funnel", str(new_id())), "funnel is a view"),
        (("2026-06-30", "deal", str(new_id()), "--by", "region"), "only views take parameters"),
    ],
)
def test_wrong_questions_are_refused_in_a_sentence(
    crm: Crm, asked: tuple[str, ...], said: str
) -> None:
    done = crm("as-of", *asked)
    assert (done.code, done.out) == (2, "")
    assert said in " ".join(done.err.replace("│", " ").split())


def test_a_day_is_one_of_the_reporting_time_zone(tmp_path: Path) -> None:
    home, deals = Home(tmp_path / "home"), tmp_path / "deals.csv"
    deals.write_text("deal_id,stage,opened\nD1,Prospecting,2026-03-02\n")
    crm = Crm.on(home, CRM_TIMEZONE="Asia/Shanghai")
    stages = ("--stages", "Prospecting", "--won", "Won", "--lost", "Lost")
    done = crm("import", "deals", deals, *stages)
    assert done.code == 0, done.err
    deal = crm("list", "deals", "-o", "json").json[0]["id"]
    found = crm("as-of", "2026-03-02", "deal", deal, "-o", "json").json
    ended = datetime.combine(date(2026, 3, 2), time.max, UTC) - timedelta(hours=8)
    assert datetime.fromisoformat(found["as_of"]) == ended
    assert crm("as-of", "2026-03-01", "deal", deal).code == 2
