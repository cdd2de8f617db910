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

import orjson
import pytest
import structlog
from crm_console.embedded.inside import inside, logged
from crm_console.embedded.stores import open_stores
from crm_console.erasing.disclosure import disclose
from crm_console.erasing.erasure import erase
from crm_console.erasing.figures import figures, questions
from crm_console.erasing.finding import find
from crm_console.home import Home
from crm_console.settling import settle
from crm_console.transport import Transport
from crm_events.clock import utc_now
from crm_events.codec import Codec, Slot, UndecodableEvent
from crm_events.contracts.contacts import PersonChanged

from tests.console.homes import CONTEXTS, settings
from tests.privacy.plain import FORGOTTEN, PLAIN, listed
from tests.privacy.story import tell_everything
from tests.support.stored import stored_event

POISON = "kanari in einem Ereignis das niemand lesen kann"


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
        text = inside if isinstance(inside, bytes) else inside.encode()
        return {place for said, place in self.said.items() if said.encode() in text}


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
        structlog.reset_defaults()


def subjects(home: Home) -> list[str]:
    """Everybody who has a key."""
    with closing(sqlite3.connect(home.keys)) as connection:
        rows = connection.execute("SELECT subject FROM subject_keys WHERE wrapped IS NOT NULL")
        return sorted(str(UUID(bytes=row[0])) for row in rows)


def decoded(home: Home) -> str:
    """Every event, read with all the keys there are."""
    stores = open_stores(home, "crm", "EUR")
    codec, texts = Codec(stores.keys), []
    for recorder in stores.recorders.values():
        for each in recorder.read_log(0, 100_000).envelopes:
            slot = Slot(each.type, each.aggregate_id, each.aggregate_version)
            try:
                texts.append(codec.decode(each.data, slot).model_dump_json())
            except UndecodableEvent as error:
                texts.append(str(error))
    stores.close()
    return "\n".join(texts)


def poison(home: Home, person: str) -> None:
    """An event of a person that views park, and behind which later ones of theirs wait."""
    stores, id = open_stores(home, "crm", "EUR"), UUID(person)
    version = len(stores.recorders["contacts"].read_stream(id, 0, 1_000)) + 1
    slot = Slot(PersonChanged.TYPE, id, version)
    data = orjson.loads(Codec(stores.keys).encode(PersonChanged(name=POISON), slot))
    broken = orjson.dumps({**data, "organisation_id": "nobody"})
    event = stored_event(id, version, PersonChanged.TYPE, broken, by="local:x", at=utc_now())
    stores.recorders["contacts"].insert_events([event])
    stores.close()


@pytest.fixture(scope="module")
def left(tmp_path_factory: pytest.TempPathFactory) -> Left:
    home = Home(tmp_path_factory.mktemp("canary") / "home")
    with running(home) as transport:
        teller = tell_everything(transport)
        person = teller.filler.ids["customer_id"]
    poison(home, person)
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
        told = "\n".join(tell_all(transport, home, everybody))
        parked = transport.send("GET", "/v1/views/parked")["parked"]
    figured = list(zip(shown, again, strict=True))
    return Left(home, {**said, POISON: "poison"}, before, told, certificates, figured, parked)


def tell_all(transport: Transport, home: Home, everybody: list[str]) -> Iterator[str]:
    """What any route tells of anybody and of anything."""
    for subject in everybody:
        yield str(disclose(transport, find(transport, subject), utc_now()))
    for context in CONTEXTS:
        with closing(sqlite3.connect(home.store(context))) as connection:
            rows = connection.execute(
                "SELECT DISTINCT aggregate_id FROM events WHERE aggregate_id NOT IN "
                "(SELECT aggregate_id FROM events WHERE CAST(data AS TEXT) LIKE '%\"nobody\"%')"
            ).fetchall()
        for (id,) in rows:
            path = f"/v1/{context}/history/{UUID(bytes=id)}"
            yield str(transport.send("GET", path))
    for path in ("funnel/units", "parked"):
        yield str(transport.send("GET", f"/v1/views/{path}"))
    yield str(transport.send("GET", "/v1/contacts/erasures"))


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
