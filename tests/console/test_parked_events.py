"""`crm parked` over a store whose bytes were damaged before a view read them."""

from __future__ import annotations

import csv
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from crm_console.home import Home
from crm_console.settling import settle

from tests.console.homes import Crm, opened

STAGES = [{"key": key, "name": key, "probability": 0.5} for key in ("new", "talk", "offer")]
DAMAGED = "crm.pipeline.StageAdvanced.v1"


def deal_that_advanced_twice(home: Home) -> str:
    with opened(home) as transport:
        body = {"key": "sales", "name": "Sales", "stages": STAGES}
        transport.send("POST", "/v1/pipeline/pipelines", body=body)
        deal = str(transport.send("POST", "/v1/pipeline/deals", body={"pipeline": "sales"})["id"])
        for stage in ("talk", "offer"):
            path = f"/v1/pipeline/deals/{deal}:advance"
            transport.send("POST", path, body={"stage": stage})
        settle(transport)
    return deal


def damage_first(home: Home, type_: str) -> None:
    """Spoil the first event of a type, and have the views computed anew."""
    with closing(sqlite3.connect(home.store("pipeline"))) as store, store:
        store.execute(
            "UPDATE events SET data = ? WHERE position ="
            " (SELECT min(position) FROM events WHERE type = ?)",
            (b'{"stage": 7}', type_),
        )
    for file in home.path.glob("views.db*"):
        file.unlink()


@pytest.fixture
def crm(tmp_path: Path) -> Crm:
    """The funnel of this home could not take one event, and has another one wait behind it."""
    home = Home(tmp_path / "home")
    deal_that_advanced_twice(home)
    damage_first(home, DAMAGED)
    crm = Crm.on(home)
    found = crm.view("funnel")
    assert found["not_citable"] == ["2 events are parked"]
    assert [row["reached"] for row in found["rows"]][:3] == [1, 0, 0]
    return crm


def test_damaged_events_are_listed_tried_again_and_left_out(crm: Crm) -> None:
    listed = crm("parked", "list", "-o", "json").json
    assert [(p["view"], p["kind"], p["type"]) for p in listed] == [
        ("funnel", "failed", DAMAGED),
        ("funnel", "behind", DAMAGED),
    ]
    in_csv = list(csv.DictReader(crm("parked", "list", "-o", "csv").out.splitlines()))
    assert [row["id"] for row in in_csv] == [str(p["id"]) for p in listed]
    first, second = (str(p["id"]) for p in listed)

    tried = crm("parked", "retry", first)
    assert tried.code == 1
    assert "2 stay parked: UndecodableEvent" in tried.err
    out_of_turn = crm("parked", "skip", second, "--reason", "impatient")
    assert out_of_turn.code == 2
    assert crm("parked", "skip", first).code == 2, "a reason is asked for"

    skipped = crm("parked", "skip", first, "--reason", "damaged on the disk")
    assert (skipped.code, skipped.err) == (0, f"{first}: 1 applied, 1 skipped.\n")
    assert crm("parked", "list", "-o", "json").json == []
    found = crm.view("funnel")
    assert (found["citable"], [row["reached"] for row in found["rows"]][:3]) == (True, [1, 1, 1])
    unknown = crm("parked", "retry", "4711")
    assert (unknown.code, unknown.out) == (2, "")


def test_tables_say_what_is_not_final(crm: Crm) -> None:
    shown = crm("view", "funnel", "-o", "table").out
    assert "not final: 2 events are parked" in shown
    assert "UndecodableEvent" in crm("parked", "list", "-o", "table").out
