"""Aggregates from a store: as they were saved, and never as another kind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from crm_events.application import ContextApplication, NotFound, StaleVersion
from crm_events.codec import Codec
from crm_events.contracts.contacts import OrganisationRegistered, PersonRegistered
from crm_events.domain import Aggregate
from crm_events.ids import new_id
from crm_events.store.mapper import Cause
from crm_events.store.sqlite import SqliteRecorder

from tests.events.domain.things import ID, NOON, OTHER, Named, Tagged
from tests.support.keys import KeysInMemory


@pytest.fixture
def app(tmp_path: Path) -> Iterator[ContextApplication]:
    recorder = SqliteRecorder(tmp_path / "contacts.db")
    yield ContextApplication(recorder, Codec(KeysInMemory()))
    recorder.close()


def saved(app: ContextApplication, *aggregates: Aggregate) -> None:
    id = new_id()
    app.save_all(aggregates, Cause(id, id, None, "local:tester", "live", NOON))


def tagged(app: ContextApplication) -> None:
    thing = Tagged(ID)
    thing.tag("vip")
    thing.tag("展会")
    saved(app, thing)


def test_saved_aggregate_loads_as_it_was(app: ContextApplication) -> None:
    tagged(app)
    thing = app.load(Tagged, ID)
    assert (thing.tags, thing.version, thing.pending) == ({"vip", "展会"}, 2, ())


def test_saved_events_are_pending_no_more(app: ContextApplication) -> None:
    tagged(app)
    thing = app.load(Tagged, ID)
    thing.untag("vip")
    saved(app, thing)
    saved(app, thing)
    assert app.load(Tagged, ID).version == 3


def test_id_of_another_kind_is_not_found(app: ContextApplication) -> None:
    tagged(app)
    with pytest.raises(NotFound, match=f"There is no Named {ID}"):
        app.load(Named, ID)


def test_unknown_id_is_not_found(app: ContextApplication) -> None:
    with pytest.raises(NotFound):
        app.load(Tagged, OTHER)


def test_many_are_loaded_without_those_of_another_kind(app: ContextApplication) -> None:
    tagged(app)
    named = Named(OTHER)
    named.record(OrganisationRegistered(name="华信"), at=NOON)
    saved(app, named)
    assert app.load_all(Tagged, [ID, OTHER, new_id()]).keys() == {ID}
    assert app.load_all(Named, [ID, OTHER])[OTHER].name == "华信"


def test_expected_version_is_kept_to(app: ContextApplication) -> None:
    tagged(app)
    assert app.load(Tagged, ID, expected=2).version == 2
    with pytest.raises(StaleVersion) as stale:
        app.load(Tagged, ID, expected=1)
    assert stale.value.current_version == 2


def test_personal_values_are_stored_sealed_and_loaded_open(app: ContextApplication) -> None:
    thing = Named(ID)
    thing.record(OrganisationRegistered(name="华信"), at=NOON)
    thing.record(PersonRegistered(name="王小明"), at=NOON)
    saved(app, thing)
    (_, changes) = next(iter(app.events.streams([ID])))
    assert changes[1].body == PersonRegistered(name="王小明")
    stored = app.recorder.read_log(0, 10).envelopes[1]
    assert "王小明".encode() not in stored.data
    assert b"~1." + ID.hex.encode() in stored.data
