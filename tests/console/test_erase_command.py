"""`crm erase`: the person is gone from every answer, and nothing else has changed."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from crm_console.home import Home
from crm_console.settling import settle
from crm_console.transport import Transport

from tests.console.homes import CONTEXTS, Crm, opened

NAME, NEED, TITLE = "Kanari Nachname", "kanarineed", "kanarititel"
SUMMARY = "kanarizusammenfassung"


@dataclass(frozen=True)
class Told:
    """A home in which one human being is a lead, a person and a customer."""

    home: Home
    lead: str
    person: str
    deal: str
    ticket: str

    @property
    def crm(self) -> Crm:
        return Crm.on(self.home)


@pytest.fixture
def told(once: Told, tmp_path: Path) -> Told:
    """A copy of its own of a home that is told once."""
    home = Home(tmp_path / "home")
    shutil.copytree(once.home.path, home.path)
    return replace(once, home=home)


def _tell(transport: Transport) -> dict[str, str]:
    def tell(path: str, **body: Any) -> Any:
        return transport.send("POST", f"/v1/{path}", body=body)

    tell("pipeline/pipelines", key="sales", stages=[{"key": "meet", "probability": 0.1}])
    settle(transport)
    lead = tell("contacts/leads", name=NAME, email="kanari@example.org", source="fair")
    tell(f"contacts/leads/{lead['id']}:qualify", need=NEED)
    made = tell(f"contacts/leads/{lead['id']}:convert", pipeline="sales", title=TITLE)
    ticket = tell(
        "ticketing/tickets",
        customer_id=made["person_id"], category="fault", channel="mail", summary=SUMMARY,
    )  # fmt: skip
    settle(transport)
    ids = {"lead": lead["id"], "person": made["person_id"], "deal": made["deal_id"]}
    return {**ids, "ticket": ticket["id"]}


def stored(told: Told) -> list[tuple[str, int]]:
    """How many events each context has."""
    found = []
    for context in CONTEXTS:
        with closing(sqlite3.connect(told.home.store(context))) as connection:
            (count,) = connection.execute("SELECT count(*) FROM events").fetchone()
            found.append((context, count))
    return found


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Told:
    home = Home(tmp_path_factory.mktemp("erasing") / "home")
    with opened(home) as transport:
        return Told(home, **_tell(transport))


def everything(told: Told) -> str:
    """All that the command tells of somebody and of what they have to do with."""
    said = [
        told.crm("history", kind, getattr(told, kind), "-o", "json").out
        for kind in ("lead", "person", "deal", "ticket")
    ]
    return "\n".join([*said, told.crm("list", "leads", "-o", "json").out])


def erased(told: Told, *more: str | Path) -> Any:
    done = told.crm("erase", told.lead, "--reason", "request", "--yes", "-o", "json", *more)
    assert done.code == 0, done.err
    return done.json


def test_erased_person_is_nowhere_and_all_else_as_before(told: Told, tmp_path: Path) -> None:
    before = everything(told)
    assert all(word in before for word in (NAME, NEED, TITLE, SUMMARY))
    figures = told.crm.view("funnel", "--as-of", "2026-12-31")["totals"]
    certificate = erased(told, "--out", tmp_path / "certificate.json")
    after = everything(told)
    assert not any(word in after for word in (NAME, NEED, TITLE, SUMMARY, "kanari@example.org"))
    assert told.crm.view("funnel", "--as-of", "2026-12-31")["totals"] == figures
    assert certificate["subject"] == told.person
    assert certificate["after"]["unchanged"] is True
    assert json.loads((tmp_path / "certificate.json").read_text()) == certificate
    held = {e["type"].split(".")[2]: e["sealed"] for e in _events(certificate)}
    assert held["LeadQualified"] == ["need"]
    assert held["DealOpened"] == ["title"]
    assert held["TicketOpened"] == ["summary"]
    legible = {each["context"]: each["legible"] for each in certificate["after"]["contexts"]}
    assert legible == dict.fromkeys(legible, 0)


def _events(certificate: Any) -> Iterator[Any]:
    for context in certificate["statement"]["contexts"]:
        for stream in context["streams"]:
            yield from stream["events"]


def test_event_and_certificate_can_be_checked_by_anybody(told: Told) -> None:
    certificate = erased(told)
    text = json.dumps(certificate["statement"], sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert digest == certificate["statement_sha256"]
    history = told.crm("history", "person", told.person, "-o", "json").json
    changes = {change["field"]: change["after"] for change in history["events"][-1]["changes"]}
    assert history["events"][-1]["event"] == "SubjectErased"
    assert changes["statement"] == digest


def test_second_erasure_says_when_and_changes_nothing(told: Told) -> None:
    first = erased(told)
    stood = stored(told)
    done = told.crm("erase", told.person, "--reason", "request", "-o", "json")
    assert (done.code, done.json) == (0, first)
    assert first["erased_at"] in done.err
    assert stored(told) == stood


def test_dry_run_shows_whose_data_it_is_and_writes_nothing(told: Told) -> None:
    stood = stored(told)
    done = told.crm("erase", told.ticket, "--reason", "request", "--dry-run", "-o", "json")
    assert done.code == 0
    assert (done.json["asked"], done.json["subject"]) == (told.ticket, told.person)
    assert {each["context"] for each in done.json["events"]} == {
        "contacts",
        "pipeline",
        "ticketing",
    }
    assert stored(told) == stood


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("not-an-id", "--reason", "request", "--yes"), "is no id"),
        (("0190b8a4-3f6e-7c51-9d2e-5f0a6b1c2d3e", "--reason", "request", "--yes"), "Nothing is"),
        (("{person}", "--reason", "request"), "--yes"),
        (("{person}", "--reason", "he asked us", "--yes"), "reason"),
        (("{person}", "--reason", "request", "--reference", "Kanari asked", "--yes"), "reference"),
    ],
)
def test_wrong_use_erases_nothing(told: Told, arguments: tuple[str, ...], why: str) -> None:
    done = told.crm("erase", *(each.format(person=told.person) for each in arguments))
    assert done.code == 2
    assert why in done.err
    assert NAME in everything(told)


def test_restored_key_database_does_not_bring_the_person_back(told: Told, tmp_path: Path) -> None:
    shutil.copy(told.home.keys, tmp_path / "keys.backup")
    erased(told)
    _put_back(tmp_path / "keys.backup", told.home.keys)
    after = everything(told)
    assert not any(word in after for word in (NAME, NEED, TITLE, SUMMARY))
    assert told.crm("keys", "erased", "-o", "json").json[0]["subject"] == told.person


def test_certificate_erases_again_what_a_whole_restore_forgot(told: Told, tmp_path: Path) -> None:
    shutil.copytree(told.home.path, tmp_path / "backup")
    certificate = tmp_path / "certificate.json"
    before = erased(told, "--out", certificate)
    shutil.rmtree(told.home.path)
    shutil.copytree(tmp_path / "backup", told.home.path)
    assert NAME in everything(told)
    done = told.crm("keys", "reapply", certificate)
    assert done.code == 0, done.err
    assert NAME not in everything(told)
    (kept,) = told.crm("keys", "erased", "-o", "json").json
    assert kept["statement_sha256"] == before["statement_sha256"]
    assert told.crm("keys", "reapply", told.home.keys).code == 2


def _put_back(copy: Path, place: Path) -> None:
    for beside in place.parent.glob(f"{place.name}*"):
        beside.unlink()
    shutil.copy(copy, place)


def test_subject_is_told_everything_until_erased(told: Told, tmp_path: Path) -> None:
    document = told.crm("export-subject", told.deal, "-o", "json").json
    said = {(e["context"], n): v for e in document["events"] for n, v in e["data"].items()}
    assert document["subject"] == told.person
    assert said["contacts", "name"] == NAME
    assert said["contacts", "need"] == NEED
    assert said["pipeline", "title"] == TITLE
    assert said["ticketing", "summary"] == SUMMARY
    out = tmp_path / "told.csv"
    assert told.crm("export-subject", told.lead, "-o", "csv", "--out", out).code == 0
    assert NAME in out.read_text()
    assert out.stat().st_mode & 0o077 == 0
    log = (told.home.path / "crm.log").read_text()
    assert f'"subject":"{told.person}"' in log
    assert NAME not in log
    erased(told)
    after = told.crm("export-subject", told.person, "-o", "json")
    assert NAME not in after.out
    assert after.json["erased_at"] is not None
    assert len(after.json["events"]) == len(document["events"]) + 1
