"""`crm report`: what is cited comes again to the byte, and what cannot be cited says why."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

import pytest
from crm_console.home import Home
from crm_console.transport import OverHttp

from tests.console.homes import Crm, Office, opened
from tests.console.test_parked_events import DAMAGED, damage_first, deal_that_advanced_twice

AS_OF = ("--as-of", "2026-06-20")
WRITTEN = {"customer_id": "0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e"}


def _order(office: Office) -> None:
    """Somebody goes on working."""
    total = {"amount": "5", "currency": "EUR"}
    body = {**WRITTEN, "total": total, "occurred_at": "2026-06-01T10:00:00Z"}
    with OverHttp(office.address) as transport:
        transport.send("POST", "/v1/pipeline/orders", body=body)


@pytest.mark.parametrize("view", ["funnel", "satisfaction", "retention"])
def test_a_report_comes_again_to_the_byte(crm: Crm, tmp_path: Path, view: str) -> None:
    file = tmp_path / "a.report"
    done = crm("report", "run", view, *AS_OF, "--out", file, "-o", "json")
    assert done.code == 0, done.err
    citation, report = file.read_bytes().splitlines()
    assert json.loads(citation) == done.json["citation"]
    assert sha256(report).hexdigest() == done.json["citation"]["sha256"]
    for cited in (str(file), done.json["citation"]["text"]):
        again = crm("report", "cite", cited, "-o", "json")
        assert (again.code, again.json["report"]) == (0, done.json["report"])
        assert "The same bytes as cited" in again.err


def test_later_work_and_a_rebuild_change_no_report(crm: Crm, office: Office) -> None:
    """Back-dated into the period, even."""
    before = crm("report", "run", "retention", *AS_OF, "-o", "json").json
    _order(office)
    assert crm("rebuild", "retention").code == 0
    assert crm("report", "cite", before["citation"]["text"]).code == 0
    after = crm("report", "run", "retention", *AS_OF, "-o", "json").json
    assert after["report"]["totals"]["orders"] == before["report"]["totals"]["orders"] + 1


def test_a_restatement_adds_up_to_what_is_published_and_what_is_so_today(
    crm: Crm, office: Office
) -> None:
    ran = ("report", "run", "retention", *AS_OF, "-o", "json")
    then = crm(*ran).json
    _order(office)
    done = crm("report", "cite", then["citation"]["text"], "--restated", "-o", "json")
    assert done.code == 0, done.err
    today = {f["figure"]: f for f in done.json["figures"] if "row" not in f}
    orders = today["orders"]
    assert orders["before"] == then["report"]["totals"]["orders"]
    assert orders["after"] == crm(*ran).json["report"]["totals"]["orders"]
    for name, figure in today.items():
        added = [a for e in done.json["events"] for a in e["added"] if a["figure"] == name]
        told = sum(Decimal(str(a["added"])) for a in added if "row" not in a)
        assert told == Decimal(str(figure["after"])) - Decimal(str(figure["before"]))
    assert orders["difference"] >= 1
    assert min(e["sequence"] for e in done.json["events"]) > done.json["from"]["pipeline"]
    drawn = crm("report", "cite", then["citation"]["text"], "--restated", "-o", "table").out
    assert "published" in drawn


def test_a_report_of_now_needs_no_restating(crm: Crm) -> None:
    text = crm("report", "run", "funnel", *AS_OF, "-o", "json").json["citation"]["text"]
    done = crm("report", "cite", text, "--restated", "-o", "table")
    assert (done.code, done.out) == (0, "")
    assert "Nothing would be different" in done.err


def test_a_report_holds_ids_and_shows_names(crm: Crm) -> None:
    run = ("report", "run", "funnel", "--by", "owner", *AS_OF)
    kept = crm(*run, "-o", "json")
    names = [group["name"] for group in crm.view("funnel", "--by", "owner", *AS_OF)["groups"]]
    assert len(names) > 1
    assert not [name for name in names if name in kept.out]
    shown = crm(*run, "-o", "table").out
    assert all(name in shown for name in names if name)


def test_a_report_that_was_changed_is_not_cited(crm: Crm, tmp_path: Path) -> None:
    file = tmp_path / "a.report"
    crm("report", "run", "retention", *AS_OF, "--out", file)
    file.write_bytes(file.read_bytes().replace(b'"orders":', b'"Orders":'))
    done = crm("report", "cite", file)
    assert (done.code, done.out) == (2, "")
    assert "was changed" in done.err


def test_other_bytes_are_told_and_end_with_3(crm: Crm) -> None:
    text = crm("report", "run", "retention", *AS_OF, "-o", "json").json["citation"]["text"]
    head, _, _ = text.partition("#")
    forged = crm("report", "cite", f"{head}#sha256:{'0' * 64}")
    assert forged.code == 3
    assert "not the same bytes" in forged.err
    older = crm("report", "cite", f"{head.replace('@', '@9')}#sha256:{'0' * 64}")
    assert "cited was 9" in older.err
    ahead = head.replace("pipeline/*/", "pipeline/*/9999")
    beyond = crm("report", "cite", f"{ahead}#sha256:{'0' * 64}")
    assert beyond.code == 3
    assert "has not come that far" in beyond.err


def test_what_is_still_open_is_not_citable(crm: Crm, tmp_path: Path) -> None:
    file = tmp_path / "a.report"
    done = crm("report", "run", "funnel", "--known-at", "2999-01-01", "--out", file, "-o", "json")
    assert (done.code, done.json["citable"], file.exists()) == (3, False, False)
    assert "known_at lies after the last mark" in done.err


def test_parked_events_make_a_report_not_citable(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    deal_that_advanced_twice(home)
    damage_first(home, DAMAGED)
    done = Crm.on(home)("report", "run", "funnel")
    assert done.code == 3
    assert "not citable: 2 events are parked" in done.err


def test_another_definition_is_told(tmp_path: Path) -> None:
    """A citation of a version that this program no longer computes."""
    home = Home(tmp_path / "home")
    with opened(home):
        pass
    crm = Crm.on(home)
    text = crm("report", "run", "retention", "-o", "json").json["citation"]["text"]
    version = int(text.split("@")[1].split("?")[0])
    older = text.replace(f"@{version}?", f"@{version - 1}?").split("#")[0] + f"#sha256:{'1' * 64}"
    with closing(sqlite3.connect(home.views)) as views:
        assert views.execute("SELECT count(*) FROM view_generation").fetchone()[0] > 0
    done = crm("report", "cite", older)
    assert done.code == 3
    assert f"retention is definition {version} now; cited was {version - 1}." in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "happiness"], "There is no"),
        (["run", "funnel", "--as-of", "yesterday"], "is no date or time"),
        (["run", "funnel", "--by", "colour"], "by:"),
        (["cite", "what?"], "no citation"),
        (["run", "retention", "--out", "/dev/full"], "is no file"),
        (["run", "retention", "--out", "/nowhere/a.report"], "cannot be written"),
    ],
)
def test_wrong_use_is_told_and_nothing_written(crm: Crm, arguments: list[str], said: str) -> None:
    done = crm("report", *arguments)
    assert done.code == 2
    assert said in done.err
