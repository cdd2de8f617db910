"""`crm rebuild`, `crm verify views` and `crm replay`: what they tell, and how they refuse."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from crm_console.home import Home
from crm_console.settling import settle

from tests.console.homes import Crm, Office, opened, tell

VIEWS = ["funnel", "satisfaction", "retention", "names"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One that nobody serves: the command does the work itself."""
    home = Home(tmp_path / "home")
    with opened(home) as transport:
        tell(transport)
        settle(transport)
    return home


def test_a_rebuild_is_planned_done_and_checked(crm: Crm) -> None:
    before = crm.view("funnel", "--as-of", "2026-06-20")
    plan = crm("rebuild", "funnel", "--plan", "-o", "json").json
    done = crm("rebuild", "funnel", "-o", "json")
    assert done.code == 0, done.err
    assert done.json["events"] == plan["events"] > 50
    assert crm.view("funnel", "--as-of", "2026-06-20") == before
    assert "events/s" in crm("rebuild", "funnel", "--plan", "-o", "table").out
    checked = crm("verify", "views", "-o", "json")
    assert checked.code == 0
    assert [(each["view"], each["equal"]) for each in checked.json] == [(v, True) for v in VIEWS]


def test_a_forged_row_is_found_by_a_check_and_mended_by_a_rebuild(home: Home) -> None:
    crm = Crm.on(home)
    with closing(sqlite3.connect(home.views)) as views, views:
        changed = views.execute("UPDATE retention_order__g1 SET amount = 1 WHERE id = 1")
        assert changed.rowcount == 1
    found = crm("verify", "views", "-o", "table")
    assert found.code == 3
    assert "retention_order__g1: 1 only live, 1 only by the log" in found.err
    assert crm("verify", "views", "satisfaction").code == 0
    assert crm("rebuild", "retention").code == 0
    assert crm("verify", "views", "retention").code == 0


def test_a_replay_gives_the_same_digest_every_time(crm: Crm, home: Home) -> None:
    """On a served home, and on one that nobody serves."""
    found = crm("replay", "retention", "--into", "scratch", "-o", "json").json
    assert (
        found["digest"] == crm("replay", "retention", "--from-stores", "-o", "json").json["digest"]
    )
    assert found["tables"][0]["rows"] > 10
    shown = crm("replay", "retention", "-o", "table")
    assert found["digest"] in shown.err
    digests = [Crm.on(home)("replay", "retention", "-o", "json").json["digest"] for _ in range(2)]
    assert digests[0] == digests[1]


def test_a_replay_ends_where_it_is_told(crm: Crm) -> None:
    end = crm("replay", "retention", "-o", "json").json["position"]["pipeline"]
    half = crm("replay", "retention", "--to", f"@pipeline/*/{end // 2}", "-o", "json").json
    assert half["position"] == {"pipeline": end // 2}
    none = crm("replay", "retention", "--to", "2001-01-01", "-o", "json").json
    assert (none["events"], none["tables"][0]["rows"]) == (0, 0)


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["rebuild", "happiness"], 2, "There is no view 'happiness'; there are: funnel"),
        (["rebuild", "happiness", "--plan"], 2, "there are: funnel"),
        (["verify", "views", "happiness"], 2, "there are: funnel"),
        (["replay", "happiness"], 2, "there are: funnel"),
        (["replay", "funnel", "--to", "yesterday"], 2, "is no date or time"),
        (["replay", "funnel", "--to", "@1"], 2, "'@1' is no position; name it of each context"),
        (["replay", "funnel", "--to", "@"], 2, "'@' is no position; name it of each context"),
        (["replay", "funnel", "--to", "@pipeline/*/1"], 2, "crm: --to: name each context of the"),
        (["replay", "funnel", "--to", "soon"], 2, "crm: --to: 'soon' is no date or time"),
        (["replay", "retention", "--to", "@pipeline/*/99999999"], 2, "is past the end"),
        (["replay", "funnel", "--into", "live"], 2, "scratch"),
        (["replay", "funnel", "--from-kafka", "--from-stores"], 2, "not both"),
        (["replay", "funnel", "--from-kafka"], 1, "There is no Kafka here"),
    ],
)
def test_wrong_use_is_told_in_a_sentence(
    crm: Crm, arguments: list[str], code: int, said: str
) -> None:
    done = crm(*arguments)
    assert (done.code, done.out) == (code, "")
    assert said in " ".join(done.err.split())


def test_the_office_is_as_before(office: Office) -> None:
    """Nothing that was tried above was left half done."""
    with closing(sqlite3.connect(office.home.views)) as views:
        statuses = views.execute("SELECT DISTINCT status FROM view_generation").fetchall()
    assert {status for (status,) in statuses} <= {"live", "retired"}
