"""Everybody is erased: of all that anybody ever said, nothing can be read anywhere."""

from __future__ import annotations

import logging
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from crm_console.embedded.inside import inside, logged
from crm_console.embedded.stores import open_stores
from crm_console.erasing.erasure import erase
from crm_console.erasing.figures import figures, questions
from crm_console.erasing.finding import find
from crm_console.home import Home
from crm_console.settling import settle
from crm_console.transport import Transport
from crm_events.clock import utc_now
from crm_events.contracts.contacts import PersonChanged

from tests.console.homes import settings
from tests.support import logs
from tests.support.canary.looking import POISON, Look, found_in, tell_all
from tests.support.canary.plain import FORGOTTEN, PLAIN, listed
from tests.support.canary.story import tell_everything


@dataclass(frozen=True)
class Left:
    """What there is after everybody was erased; `said` are the texts that are to be gone."""

    home: Home
    said: Mapping[str, str]
    legible_before: str
    told_after: str
    certificates: list[Any]
    figures: list[tuple[Any, Any]]
    parked: list[Any]

    def legible(self, inside: str | bytes) -> set[str]:
        return found_in(inside if isinstance(inside, bytes) else inside.encode(), self.said)


@contextmanager
def running(home: Home) -> Iterator[Transport]:
    """The home's application, which logs into the home."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    try:
        with home.held(), logged(home, settings()), inside(home, settings()) as transport:
            yield transport
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
        logs.plain()


def subjects(home: Home) -> list[str]:
    """Everybody who has a key and of whom something is sealed; keys made ahead are nobody's."""
    with looking(home) as look:
        said_of = look.subjects()
    with closing(sqlite3.connect(home.keys)) as connection:
        rows = connection.execute("SELECT subject FROM subject_keys WHERE wrapped IS NOT NULL")
        return sorted(str(id) for row in rows if (id := UUID(bytes=row[0])) in said_of)


@contextmanager
def looking(home: Home) -> Iterator[Look]:
    """Into the stores, with the home's keys."""
    with closing(open_stores(home, "crm", "EUR")) as stores:
        yield Look(stores.recorders, stores.keys)


def decoded(home: Home) -> str:
    with looking(home) as look:
        return look.decoded()


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    home = Home(tmp_path_factory.mktemp("canary") / "home")
    with running(home) as transport:
        teller = tell_everything(transport)
        person = teller.filler.ids["customer_id"]
    with looking(home) as look:
        look.poison(person)
        things = look.things()
    shutil.copytree(home.path, home.path.with_name("backup"))
    said = {t: p for t, p in teller.filler.said.items() if not listed(p, {**PLAIN, **FORGOTTEN})}
    before, everybody = decoded(home), subjects(home)
    with running(home) as transport:
        settle(transport)
        asked = questions(transport, utc_now().isoformat())
        shown = figures(transport, asked)
        grounds = {"reason": "request", "reference": "DSR-1"}
        certificates = [
            erase(transport, find(transport, each), grounds, utc_now()) for each in everybody
        ]
        again = figures(transport, asked)
        told = "\n".join(tell_all(transport, things, everybody))
        parked = transport.send("GET", "/v1/views/parked")["parked"]
    figured = list(zip(shown, again, strict=True))
    return Left(home, {**said, POISON: "poison"}, before, told, certificates, figured, parked)


def test_everything_that_is_looked_for_was_legible_before(left: Left) -> None:
    """Otherwise nothing would be found because nothing was there."""
    assert left.legible(left.legible_before) >= set(left.said.values()) - {"poison"}


def test_no_file_of_the_home_holds_anything_legible(left: Left) -> None:
    for path in left.home.path.rglob("*"):
        if path.is_file():
            assert left.legible(path.read_bytes()) == set(), path.name


def test_no_key_that_is_left_opens_anything(left: Left) -> None:
    assert subjects(left.home) == []
    assert left.legible(decoded(left.home)) == set()


def test_no_route_tells_anything(left: Left) -> None:
    assert left.legible(left.told_after) == set()
    assert "SubjectErased" in left.told_after


def test_figures_are_the_same_and_certificates_say_so(left: Left) -> None:
    assert all(before == after for before, after in left.figures)
    assert len(left.certificates) > 10
    assert all(each["after"]["unchanged"] for each in left.certificates)
    held = [c["events"] for each in left.certificates for c in each["statement"]["contexts"]]
    assert sum(held) > 20


def test_erasure_does_not_wait_behind_a_parked_event(left: Left) -> None:
    assert {each["type"] for each in left.parked} == {PersonChanged.TYPE}
    assert left.legible(str(left.parked)) == set()


def test_restored_keys_open_nothing_once_the_home_is_started(left: Left, tmp_path: Path) -> None:
    restored = Home(tmp_path / "restored")
    shutil.copytree(left.home.path, restored.path)
    shutil.copy(left.home.path.with_name("backup") / "keys.db", restored.keys)
    assert left.legible(decoded(restored)) >= {"import leads name"}, "the copy has the keys"
    with running(restored) as transport:
        transport.send("POST", "/v1/contacts/keys:reapply", body={})
    assert subjects(restored) == []
    assert left.legible(decoded(restored)) == set()
