"""Everybody who is in a story over all contexts is erased: nothing legible is left of them in any
byte that is kept, and everything else is as before."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from crm_console.erasing.erasure import erase
from crm_console.erasing.figures import figures, questions
from crm_console.erasing.finding import find
from crm_console.settling import settle
from crm_events.clock import utc_now
from crm_projections.bootstrap import build, open_database, store_feeds

from tests.e2e.conftest import Deployment
from tests.e2e.resting import HomeAtRest, Rest, rest_of, with_bytes
from tests.e2e.stores import NAMESPACE, ZONE
from tests.e2e.working import CURRENCY, Work, at_work, served_home
from tests.support.canary.looking import POISON, Look, found_in, tell_all
from tests.support.canary.plain import FORGOTTEN, PLAIN, listed
from tests.support.canary.story import tell_everything


@dataclass(frozen=True)
class Left:
    """What there is after the erasure. `said` maps the texts that are to be gone to the places
    they were said at; `before` and `after` are what was found of them."""

    deployment: Deployment
    rest: Rest
    folder: Path
    said: Mapping[str, str]
    since: Mapping[str, int]
    before: Mapping[str, set[str]]
    told: str
    figures: list[tuple[Any, Any]]
    certificates: list[Any]
    checks: Mapping[str, int]
    parked: list[Any]

    def legible(self, content: bytes | str) -> set[str]:
        return found_in(content if isinstance(content, bytes) else content.encode(), self.said)


@pytest.fixture(scope="module")
def left(deployment: Deployment, tmp_path_factory: pytest.TempPathFactory) -> Left:
    folder, rest = tmp_path_factory.mktemp("erasure"), rest_of(deployment)
    with at_work(deployment) as work:
        work.settle()
        since = _heads(work)
        teller = tell_everything(work.transport, work.documents())
        person = teller.filler.ids["customer_id"]
    said = {t: p for t, p in teller.filler.said.items() if not listed(p, {**PLAIN, **FORGOTTEN})}
    said[POISON] = "poison"
    with rest.looking() as look:
        look.poison(person)
        story = Look(look.recorders, look.keys, since)
        before = {"events": found_in(story.decoded().encode(), said)}
        things, everybody = story.things(), story.subjects() & rest.subjects()
    with at_work(deployment) as work:
        work.settle()
        before |= {"bytes": _in_all(rest, said)}
        _seal_and_prove(work, person, folder)
    rest.back_up(folder / "backup")
    with at_work(deployment) as work:
        work.settle()
        asked = questions(work.transport, utc_now().isoformat())
        shown = figures(work.transport, asked)
        certificates = list(_erased(work, person, [str(each) for each in everybody], folder))
        told = "\n".join(tell_all(work.transport, things, [str(each) for each in everybody]))
        after = list(zip(shown, figures(work.transport, asked), strict=True))
        checks = _checked(work, folder)
        parked = _parked(work)
    return Left(
        deployment, rest, folder, said, since, before, told, after, certificates, checks, parked
    )


def _heads(work: Work) -> dict[str, int]:
    places = ("contacts", "pipeline", "ticketing", "campaigns")
    return {c: work.transport.send("GET", f"/v1/{c}/position")["sequence"] for c in places}


def _in_all(rest: Rest, said: Mapping[str, str]) -> set[str]:
    return {place for _, content in rest.contents() for place in found_in(content, said)}


def _seal_and_prove(work: Work, person: str, folder: Path) -> None:
    """Of the person's last event that can be read."""
    events = work.transport.send("GET", f"/v1/contacts/subjects/{person}")["streams"]
    asked = events[0]["events"][0]
    work.ok("audit", "seal")
    (folder / "auditor.pub").write_text(work.ok("audit", "key").out)
    (folder / "proof.json").write_text(work.ok("audit", "prove", _id_of(work, person, asked)).out)


def _id_of(work: Work, person: str, event: Mapping[str, Any]) -> str:
    log = work.json("export-subject", person)["events"]
    found = next(e for e in log if (e["type"], e["version"]) == (event["type"], event["version"]))
    return str(found["event_id"])


def _erased(work: Work, person: str, everybody: list[str], folder: Path) -> Iterator[Any]:
    """One by the command; all others as it does it."""
    out = folder / "certificate.json"
    work.ok("erase", person, "--reason", "request", "--yes", "--out", out)
    yield json.loads(out.read_text())
    for each in everybody:
        if each != person:
            grounds = {"reason": "request", "reference": None}
            yield erase(work.transport, find(work.transport, each), grounds, utc_now())


def _checked(work: Work, folder: Path) -> dict[str, int]:
    """The exit codes of everything that checks, and an export made afterwards."""
    out = folder / "exports"
    out.mkdir()
    commands: Mapping[str, tuple[str | Path, ...]] = {
        "audit": ("audit", "verify"),
        "proof": ("audit", "check-proof", folder / "proof.json", "--key", folder / "auditor.pub"),
        "views": ("verify", "views"),
        "rebuilt": ("rebuild", "names"),
        "events": ("export", "events", "--format", "jsonl", "--out", out / "events.jsonl"),
        "facts": ("export", "facts", "--out", out / "facts"),
        "view": ("export", "funnel", "--set", "by=owner", "--out", out / "funnel.csv"),
    }
    return {name: work.crm(*arguments).code for name, arguments in commands.items()}


def _parked(work: Work) -> list[Any]:
    """What was parked; it is left out from now on, so that nobody after us finds it."""
    found: list[Any] = work.json("parked", "list")
    for each in found:
        if each["kind"] == "failed":
            work.ok("parked", "skip", str(each["id"]), "--reason", "spoilt on purpose")
    return found


def test_everything_that_is_looked_for_was_there(left: Left) -> None:
    """Otherwise nothing would be found because nothing was there, or nobody looked."""
    assert left.before["events"] >= set(left.said.values()) - {"poison"}
    assert "/v1/contacts/people/{id}:change name" in left.before["bytes"], "views show names"


def test_no_byte_that_is_kept_holds_anything_legible(left: Left) -> None:
    found = {name: left.legible(content) for name, content in left.rest.contents()}
    assert {name: places for name, places in found.items() if places} == {}


def test_bytes_of_stores_and_topics_were_read(left: Left) -> None:
    """The person's id is in plain in what others wrote of them, beside values that are sealed."""
    wanted = (left.certificates[0]["subject"].encode(), b'"~1.')
    names = [n for n, content in left.rest.contents() if all(each in content for each in wanted)]
    if left.deployment.form == "embedded":
        assert {"ticketing.db", "pipeline.db"} <= set(names)
    else:
        assert {"database ticketing", "database pipeline"} <= set(names)
        assert any(n.startswith("kafka") and "ticketing" in n for n in names), names


def test_no_key_opens_anything_and_no_route_tells_anything(left: Left) -> None:
    with left.rest.looking() as look:
        assert left.legible(Look(look.recorders, look.keys, left.since).decoded()) == set()
    assert left.legible(left.told) == set()
    assert "SubjectErased" in left.told


def test_numbers_are_the_same_and_the_certificates_say_so(left: Left) -> None:
    assert all(before == after for before, after in left.figures)
    assert len(left.certificates) > 10
    assert all(each["after"]["unchanged"] for each in left.certificates)


def test_old_proof_log_and_views_are_still_right(left: Left) -> None:
    assert left.checks == dict.fromkeys(left.checks, 0)


def test_exports_made_afterwards_hold_nothing_legible(left: Left) -> None:
    files = [path for path in (left.folder / "exports").rglob("*") if path.is_file()]
    assert len(files) > 10
    found = {file.name: left.legible(file.read_bytes()) for file in files}
    assert {name: places for name, places in found.items() if places} == {}


def test_the_parked_event_is_not_legible_either(left: Left) -> None:
    assert {each["type"] for each in left.parked} == {"crm.contacts.PersonChanged.v1"}
    assert left.legible(str(left.parked)) == set()


def test_certificates_tell_nothing(left: Left) -> None:
    assert left.legible(json.dumps(left.certificates)) == set()


def test_a_backup_of_before_tells_nothing_with_the_keys_of_now(left: Left) -> None:
    with left.rest.restored(left.folder / "backup") as look:
        story = Look(look.recorders, look.keys, left.since)
        assert left.legible(story.decoded()) == set()
        views = left.folder / "views-of-backup.db"
        with closing(open_database(views, NAMESPACE)) as database:
            host = build(database, look.keys, ZONE, CURRENCY).host(store_feeds(look.recorders))
            asyncio.run(host.rebuild_all())
    kept = {path for path in left.folder.rglob("*") if path.is_file()}
    assert views in kept
    found = {path.name: left.legible(with_bytes(path.read_bytes())) for path in kept}
    assert {name: places for name, places in found.items() if places} == {}


@pytest.mark.parametrize("deployment", ["embedded"], indirect=True)
def test_a_restored_home_tells_nothing_and_certificates_erase_again(left: Left) -> None:
    """As the runbook says; the other form would have to be begun a second time for it."""
    assert isinstance(left.rest, HomeAtRest)
    home = left.rest.restore(left.folder / "backup", left.folder / "again")
    with served_home(home) as (crm, transport):
        settle(transport)
        done = crm("keys", "reapply", left.folder / "certificate.json")
        assert (done.code, "erased again" in done.err) == (0, True)
        subjects = [each["subject"] for each in crm("keys", "erased", "-o", "json").json]
        assert left.certificates[0]["subject"] in subjects
    files = [path for path in home.path.rglob("*") if path.is_file()]
    assert "views.db" in {path.name for path in files}
    assert {p.name for p in files if left.legible(p.read_bytes())} == set()
