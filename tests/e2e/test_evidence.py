"""History as evidence, by the same commands in one process and over Kafka and PostgreSQL."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from crm_events.audit.note import read_checkpoint

from tests.e2e.conftest import Deployment
from tests.e2e.remembered import AS_OF, LATER, History, figures, money, noon, told
from tests.e2e.working import CURRENCY, VIEWS, at_work

SNAPSHOT = ("--set", "mode=snapshot")


@pytest.fixture(scope="module")
def history(deployment: Deployment) -> Iterator[History]:
    with at_work(deployment) as work:
        yield told(work)


def amount(value: Any) -> Decimal:
    """Of a figure that counts or of one in money."""
    return Decimal(str(value or 0))


@pytest.mark.parametrize("view", VIEWS)
def test_a_correction_changes_what_was_so_and_never_what_was_known(
    history: History, view: str
) -> None:
    assert history.now(view) != history.before[view]
    assert history.now(view, "--known-at", history.known_at) == history.before[view]


def test_a_thing_is_as_it_was_and_as_it_was_known(history: History) -> None:
    asked = ("as-of", AS_OF, "deal", history.deals[-1])
    now, then = (history.work.json(*asked, *o) for o in ((), ("--known-at", history.known_at)))
    assert (now["record"]["amount.amount"], now["record"]["stage.key"]) == ("777", "offer")
    assert (then["record"]["amount.amount"], then["record"]["stage.key"]) == ("300", "ask")
    before = history.work.json("as-of", "2026-02-10", "deal", history.deals[-1])
    assert before["record"] == {**then["record"], **before["record"]} == then["record"]


def added_up(found: Mapping[str, Any]) -> tuple[dict[Any, Decimal], dict[Any, Decimal]]:
    """The differences that were told, and those that the events told make; without zeros."""
    added: dict[Any, Decimal] = defaultdict(Decimal)
    for event in found["events"]:
        for each in event["added"]:
            added[each["figure"], each.get("row")] += amount(each["added"])
    wanted = {(f["figure"], f.get("row")): amount(f["difference"]) for f in found["figures"]}
    return _without_zeros(wanted), _without_zeros(added)


def _without_zeros(sums: Mapping[Any, Decimal]) -> dict[Any, Decimal]:
    return {key: value for key, value in sums.items() if value}


@pytest.mark.parametrize("view", VIEWS)
def test_events_between_two_days_add_up_to_the_difference(history: History, view: str) -> None:
    options = (*history.question(view), *(SNAPSHOT if view == "funnel" else ()))
    found = history.work.json("diff", "2026-01-31", LATER, *options, "--events")
    wanted, added = added_up(found)
    assert wanted == added
    assert found["events_in_all"] == len(found["events"]) > 1


def test_a_number_is_opened_into_its_events(history: History) -> None:
    why = ("why", *history.question("funnel"), "--figure", "won")
    for day, won in ((AS_OF, 1), (LATER, 2)):
        found = history.work.json(*why, "--as-of", day)
        assert found["value"] == sum(event["added"] for event in found["events"]) == won
        assert {event["type"] for event in found["events"]} == {"crm.pipeline.DealWon.v1"}
        assert [event["aggregate_id"] for event in found["events"]] == list(history.deals[:won])


def test_a_month_of_satisfaction_is_opened_into_its_answers(history: History) -> None:
    months = history.work.json("view", "satisfaction", "--by", "month")["groups"]
    counts = {month["key"]: month["totals"]["responses"] for month in months}
    assert sum(counts.values()) > 0
    for month, responses in counts.items():
        found = history.work.json("why", "satisfaction", "--cell", month)
        assert found["value"] == responses == sum(event["added"] for event in found["events"])


def test_a_cell_of_retention_between_two_days_is_opened(history: History) -> None:
    asked = ("diff", AS_OF, LATER, "retention", "--cell", "2026-01/2")
    found = history.work.json(*asked, "--events")
    wanted, added = added_up(found)
    assert wanted == added
    assert wanted.keys() == {("active", "2026-01"), ("revenue", "2026-01")}
    assert len(found["events"]) == found["events_in_all"] > 0


def causes(history: History, kind: str, id: str, event: str) -> list[tuple[str | None, str]]:
    """Cause and effect over all contexts, by their names, from the first such event of a thing."""
    events = history.work.json("history", kind, id)["events"]
    asked = next(e["event_id"] for e in events if e["event"] == event)
    return list(_pairs(None, history.work.json("why", asked)["events"]))


def _pairs(cause: str | None, nodes: list[Any]) -> Iterator[tuple[str | None, str]]:
    for node in nodes:
        name = f"{node['context']} {node['event']}"
        yield cause, name
        yield from _pairs(name, node["caused"])


def test_causes_are_followed_across_contexts(history: History) -> None:
    lead = causes(history, "lead", history.lead, "LeadCaptured")
    assert ("campaigns ResponseReceived", "contacts LeadCaptured") in lead
    ticket = causes(history, "ticket", history.ticket, "TicketResolved")
    assert (None, "ticketing TicketResolved") in ticket
    assert ("ticketing TicketResolved", "ticketing SurveySent") in ticket


def test_a_history_is_walked_step_by_step(history: History) -> None:
    steps = history.work.json("history", "deal", history.deals[0], "--step")
    assert [step["event"] for step in steps] == ["DealOpened", "StageAdvanced", "DealWon"]
    assert all(later["before"] == earlier["after"] for earlier, later in pairwise(steps))
    now = history.work.json("as-of", LATER, "deal", history.deals[0])
    assert steps[-1]["after"] == now["record"]


def test_who_kept_a_checkpoint_sees_that_the_log_grew(history: History, tmp_path: Path) -> None:
    work, file, kept = history.work, tmp_path / "grew.json", tmp_path / "kept.txt"
    work.ok("audit", "seal", "pipeline")
    opened = work.json("history", "deal", history.deals[0])["events"][0]["event_id"]
    kept.write_text(work.ok("audit", "prove", opened).json["checkpoint"])
    _more(history)
    new = work.json("audit", "seal", "pipeline")[0]["sealed"]
    old = read_checkpoint(kept.read_text()).size
    assert 0 < old < new
    file.write_text(work.ok("audit", "prove", "pipeline", "--between", str(old), str(new)).out)
    check = ("audit", "check-proof", file, "--against", kept)
    assert work.json(*check)[0]["events_appended"] == new - old
    proof = json.loads(file.read_text())
    file.write_text(json.dumps({**proof, "hashes": proof["hashes"][:-1]}))
    assert work.crm(*check).code == 3


MERGED = "[[stages]]\nkey = 'all'\nname = 'All'\nrank = 1\nfrom = ['ask', 'offer']\n"
STRICT = "satisfied_from = 5\n"


def test_other_rules_change_the_answer_and_nothing_that_is_live(
    history: History, tmp_path: Path
) -> None:
    stages, policy = tmp_path / "stages.toml", tmp_path / "policy.toml"
    stages.write_text(MERGED)
    policy.write_text(STRICT)
    before = live(history, tmp_path / "before")
    funnel = history.work.json("what-if", *history.question("funnel"), "--stages", stages)
    assert funnel["what_if"]["rows"][0]["stage"] == "All"
    assert len(funnel["live"]["rows"]) == len(funnel["what_if"]["rows"]) + 1
    strict = history.work.json("what-if", "satisfaction", "--policy", policy)
    assert strict["what_if"]["totals"]["top2_box"] < strict["live"]["totals"]["top2_box"]
    assert live(history, tmp_path / "after") == before


def live(history: History, folder: Path) -> dict[str, str]:
    """The digest of each table of every view."""
    history.work.ok("export", "facts", "--out", folder)
    return {file.name: sidecar(file)["sha256"] for file in sorted(folder.glob("*.csv"))}


def sidecar(file: Path) -> Any:
    said = json.loads(Path(f"{file}.json").read_text())
    assert said["sha256"] == sha256(file.read_bytes()).hexdigest()
    return said


@pytest.mark.parametrize("view", VIEWS)
def test_a_report_is_the_same_to_the_byte_after_more_was_written(
    history: History, tmp_path: Path, view: str
) -> None:
    file = tmp_path / "a.report"
    run = ("report", "run", *history.question(view), "--as-of", LATER)
    first = history.work.json(*run, "--out", file)
    _more(history)
    again = history.work.json("report", "cite", file)
    assert again["report"] == first["report"]
    assert again["citation"] == first["citation"]
    assert history.work.json(*run)["citation"]["sha256"] != first["citation"]["sha256"]


def _more(history: History) -> None:
    """Of what had taken effect before, as far as each view is concerned."""
    work, at = history.work, {"occurred_at": noon("2026-03-05")}
    work.say("pipeline/deals", pipeline=history.pipeline, **at)
    work.say("pipeline/orders", customer_id=history.lead, total=money(1), **at)
    about = {"customer_id": history.lead, "category": "evidence", "channel": "web"}
    work.say("ticketing/tickets", **about, **at)


def rows_of(file: Path) -> list[dict[str, Any]]:
    if file.suffix == ".parquet":
        return list(pq.read_table(file).to_pylist())
    if file.suffix == ".jsonl":
        return [json.loads(line) for line in file.read_text().splitlines()]
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))


def exported(history: History, what: str, file: Path, *options: str) -> list[str]:
    history.work.ok("export", what, "--format", file.suffix[1:], "--out", file, *options)
    said, rows = sidecar(file), rows_of(file)
    assert said["rows"] == len(rows) > 0
    return [str(row.get("id") or row.get("sequence")) for row in rows]


def test_exports_are_the_same_in_every_format(history: History, tmp_path: Path) -> None:
    files = [tmp_path / f"events.{format}" for format in ("csv", "jsonl", "parquet")]
    ids = [exported(history, "events", f, "--known-at", history.known_at) for f in files]
    assert ids[0] == ids[1] == ids[2]
    assert len(set(ids[0])) == len(ids[0])
    for file in (f.with_stem("view") for f in files):
        exported(history, "funnel", file, "--set", "by=owner", *history.question("funnel")[1:])
        history.work.ok("report", "cite", sidecar(file)["citation"])


@pytest.mark.parametrize("format", ["csv", "jsonl", "parquet"])
def test_facts_are_exported_with_their_position(
    history: History, tmp_path: Path, format: str
) -> None:
    asked = ("export", "facts", "--view", "retention", "--format", format)
    history.work.ok(*asked, "--out", tmp_path / "facts")
    file = tmp_path / "facts" / f"retention_order.{format}"
    said = sidecar(file)
    assert said["rows"] == len(rows_of(file)) > len(history.deals)
    assert max(int(row["known_from"]) for row in rows_of(file)) <= said["position"]["pipeline"]


def replayed(history: History, view: str, *options: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = history.work.json("replay", view, *options)
    return found


def test_a_replay_is_the_same_from_every_copy_of_the_log(history: History) -> None:
    history.work.settle()
    view, whole = "funnel", replayed(history, "funnel")
    half = ",".join(f"{context}/*/{at // 2}" for context, at in whole["position"].items())
    for end in (("--to", f"@{half}"), ("--to", history.known_at)):
        stores = replayed(history, view, *end, "--from-stores")
        assert 0 < stores["events"] < whole["events"]
        assert stores["digest"] != whole["digest"]
        if history.work.form == "distributed":
            assert replayed(history, view, *end, "--from-kafka") == stores
        else:
            refused = history.work.crm("replay", view, *end, "--from-kafka")
            assert (refused.code, "There is no Kafka here" in refused.err) == (1, True)


def test_a_view_is_rebuilt_and_readers_see_the_same(history: History) -> None:
    work = history.work
    work.settle()
    before = {view: history.now(view) for view in VIEWS}
    plan = work.json("rebuild", "funnel", "--plan")
    assert work.json("rebuild", "funnel")["events"] >= plan["events"] > 0
    assert {view: history.now(view) for view in VIEWS} == before
    verdict = work.json("verify", "views", "funnel")
    assert [(each["view"], each["equal"]) for each in verdict] == [("funnel", True)]


FILE = """Key,Owner,Customer,Product,Stage,Opened,Closed,Amount
u1,Ann Undo,Firm Undo,Sun,Won,2026-01-03,2026-02-03,10
u2,Ben Undo,Firm Two,Sun,Talk,2026-01-04,,20
u3,Ben Undo,Firm Undo,Wind,Lost,2026-01-05,2026-02-05,30
"""
STAGED = ("--stages", "New,Talk", "--won", "Won", "--lost", "Lost", "--currency", CURRENCY)


def test_an_import_is_undone_save_what_others_worked_on(history: History, tmp_path: Path) -> None:
    work, file = history.work, tmp_path / "deals.csv"
    file.write_text(FILE)
    pipeline = f"{history.pipeline}-file"
    ours = ("--set", f"pipeline={pipeline}")
    brought = work.json("import", "deals", file, *STAGED, "--pipeline", pipeline)
    imported = figures(work.crm.view("funnel", *ours))
    assert imported["totals"]["units"] == 3
    touched = work.json("list", "deals", "--state", "open", "--pipeline", pipeline)[0]["id"]
    work.say(f"pipeline/deals/{touched}:amend", title="Ours now")

    planned = work.crm("undo", brought["correlation"], "--dry-run", "-o", "json")
    assert planned.code == 3
    assert [t["id"] for t in planned.json["things"] if t["status"] == "conflict"] == [touched]
    assert figures(work.crm.view("funnel", *ours)) == imported
    undone = work.crm("undo", brought["correlation"], "--yes", "-o", "json")
    assert (undone.code, undone.json["things"]) == (3, planned.json["things"])
    assert work.crm.view("funnel", *ours)["totals"]["units"] == 1


def test_after_an_undo_the_views_are_as_before(history: History, tmp_path: Path) -> None:
    work, file = history.work, tmp_path / "orders.csv"
    file.write_text("key,customer,ordered_at,amount\n1,c1,2026-01-05,7.50\n2,c2,2026-02-01,9\n")
    work.settle()
    before = history.now("retention")
    brought = work.json("import", "orders", file, "--currency", CURRENCY)
    with_it, known_at = history.now("retention"), work.known_for_good()
    assert with_it["totals"]["orders"] == before["totals"]["orders"] + 2
    things = work.json("undo", brought["correlation"], "--dry-run")["things"]
    assert history.now("retention") == with_it
    assert work.json("undo", brought["correlation"], "--yes")["things"] == things
    assert history.now("retention") == before
    assert history.now("retention", "--known-at", known_at) == with_it
