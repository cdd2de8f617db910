"""`crm undo`: what an import did is taken back over all contexts, and can come in again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest
from crm_console.home import Home
from crm_events.clock import utc_now
from crm_events.ids import new_id

from tests.console.homes import Crm, serving, settings
from tests.support.waiting import wait_until

SEEDS: Final = (1, 2, 3)
STAGES: Final = ("--stages", "New,Talking,Offer", "--won", "Won", "--lost", "Lost")
OPTIONS: Final = {
    "staff": (),
    "deals": (*STAGES, "--currency", "EUR", "--pipeline", "files"),
    "leads": (),
    "orders": ("--currency", "EUR"),
    "tickets": (),
}
QUESTIONS: Final = (
    ("funnel", "--set", "pipeline=files", "--by", "owner"),
    ("funnel", "--set", "pipeline=files", "--mode", "snapshot", "--by", "team"),
    ("funnel", "--set", "pipeline=files", "--mode", "flow", "--by", "product"),
    ("funnel", "--set", "pipeline=leads", "--by", "source"),
    ("satisfaction", "--by", "agent"),
    ("retention", "--by", "region"),
)
SAID: Final = ("totals", "rows", "groups", "excluded", "distribution")


@pytest.fixture
def crm(tmp_path: Path) -> Iterator[Crm]:
    home = Home(tmp_path / "home")
    with serving(home, settings()):
        yield Crm.on(home)


def figures(crm: Crm, *asked: str) -> list[Any]:
    answers = [crm.view(*question, *asked) for question in QUESTIONS]
    return [{said: answer.get(said) for said in SAID} for answer in answers]


class Files:
    """Random files; later ones say other things of some keys that earlier ones had."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._chance = Random(seed)  # noqa: S311 (to be repeated)

    def write(self, kind: str, name: str, first: int, last: int) -> Path:
        lines = getattr(self, f"_{kind}")(range(first, last))
        path = self._folder / f"{name}-{kind}.csv"
        path.write_text("\n".join(lines) + "\n")
        return path

    def _staff(self, keys: range) -> Iterator[str]:
        yield "Name,Team"
        for key in keys:
            yield f"Agent {key},{self._one('North', 'South', 'West')}"

    def _deals(self, keys: range) -> Iterator[str]:
        yield "Key,Owner,Customer,Product,Stage,Opened,Closed,Amount"
        for key in keys:
            stage = self._one("New", "Talking", "Offer", "Won", "Lost")
            closed = "2026-03-09" if stage in ("Won", "Lost") else ""
            names = f"Agent {key % 7},Firm {key % 5},{self._one('Sun', 'Wind')}"
            yield f"d{key},{names},{stage},2026-01-{key % 27 + 1:02},{closed},{self._amount()}"

    def _leads(self, keys: range) -> Iterator[str]:
        yield "Key,Name,Source,Captured at,Status"
        for key in keys:
            status = self._one("new", "qualified", "disqualified")
            yield f"l{key},Person {key},fair,2026-02-{key % 27 + 1:02},{status}"

    def _orders(self, keys: range) -> Iterator[str]:
        yield "Key,Customer,Date,Amount,Region"
        for key in keys:
            region = self._one("East", "West")
            yield f"o{key},c{key % 4},2026-0{key % 5 + 1}-11,{self._amount()},{region}"

    def _tickets(self, keys: range) -> Iterator[str]:
        yield "Key,Customer,Agent,Opened at,Category,Channel,Rating"
        for key in keys:
            rating = self._one("", "1", "3", "5")
            about = f"{self._one('fault', 'bill')},mail"
            yield f"t{key},c{key % 4},Agent {key % 7},2026-03-{key % 27 + 1:02},{about},{rating}"

    def _one(self, *values: str) -> str:
        return self._chance.choice(values)

    def _amount(self) -> int:
        return self._chance.randrange(1, 900)


def bring(crm: Crm, kind: str, file: Path) -> str:
    done = crm("import", kind, file, *OPTIONS[kind], "-o", "json")
    assert done.code in (0, 3), done.err
    return str(done.json["correlation"])


def undone(crm: Crm, correlation: str) -> Any:
    done = crm("undo", correlation, "--yes", "-o", "json")
    assert done.code == 0, (done.err, done.out)
    return done.json


def known_for_good(crm: Crm) -> str:
    """A time at which everything until now was known, by a mark."""
    now = utc_now().isoformat()
    wait_until(
        lambda: all(crm.view(*q, "--known-at", now)["citable"] for q in QUESTIONS), "a mark", 30
    )
    return utc_now().isoformat()


@pytest.mark.parametrize("seed", SEEDS)
def test_after_an_undo_figures_are_as_if_the_import_had_never_been(
    crm: Crm, tmp_path: Path, seed: int
) -> None:
    files = Files(tmp_path, seed)
    for kind in OPTIONS:
        bring(crm, kind, files.write(kind, "first", 0, 8))
    without = figures(crm)
    second = {kind: files.write(kind, "second", 5, 14) for kind in OPTIONS}
    imports = [(kind, bring(crm, kind, file)) for kind, file in second.items()]
    with_it = figures(crm)
    assert with_it != without
    known_at = known_for_good(crm)
    for _, correlation in reversed(imports):
        undone(crm, correlation)
    assert figures(crm) == without
    assert figures(crm, "--known-at", known_at) == with_it
    for kind, file in second.items():
        bring(crm, kind, file)
    assert figures(crm) == with_it


def test_a_dry_run_changes_nothing_and_says_what_the_undo_then_does(
    crm: Crm, tmp_path: Path
) -> None:
    correlation = bring(crm, "deals", Files(tmp_path, 5).write("deals", "all", 0, 6))
    before = figures(crm)
    planned = json.loads(crm("undo", correlation, "--dry-run").out)["things"]
    assert figures(crm) == before
    assert {thing["kind"] for thing in planned} >= {"deal", "staff", "organisation", "product"}
    assert undone(crm, correlation)["things"] == planned
    assert figures(crm) != before


def test_a_second_undo_changes_nothing(crm: Crm, tmp_path: Path) -> None:
    correlation = bring(crm, "orders", Files(tmp_path, 5).write("orders", "all", 0, 6))
    undone(crm, correlation)
    assert undone(crm, correlation)["things"] == []
    assert "undone already" in crm("undo", correlation, "--yes", "-o", "table").err


def test_what_others_worked_on_or_refer_to_stays_and_is_listed(crm: Crm, tmp_path: Path) -> None:
    files = Files(tmp_path, 5)
    first = bring(crm, "deals", files.write("deals", "first", 0, 6))
    bring(crm, "deals", files.write("deals", "second", 4, 7))
    done = crm("undo", first, "--yes", "-o", "json")
    assert done.code == 3
    status = {(t["kind"], t["status"]) for t in done.json["things"]}
    assert ("deal", "withdrawn") in status
    assert ("staff", "in_use") in status
    worked_on = [t for t in done.json["things"] if t["status"] == "conflict"]
    assert worked_on
    assert all(t["does"] is None and t["later"][0]["event"] for t in worked_on)
    assert crm.view("funnel", "--set", "pipeline=files")["totals"]["units"] == 3


def test_an_undo_is_not_undone(crm: Crm, tmp_path: Path) -> None:
    correlation = bring(crm, "orders", Files(tmp_path, 5).write("orders", "all", 0, 3))
    done = crm("undo", undone(crm, correlation)["undone_under"], "--yes")
    assert (done.code, "itself an undo" in done.err) == (2, True)


def test_wrong_use_is_said(crm: Crm) -> None:
    missing = str(new_id())
    done = crm("undo", missing, "--dry-run")
    assert (done.code, f"correlation {missing}" in done.err) == (2, True)
    assert crm("undo", missing).code == 2
    assert crm("undo", missing, "--yes", "--dry-run").code == 2
    assert crm("undo", "the last one", "--yes").code == 2
