"""What is kept has bounds: in number, in time, and where somebody is erased."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from crm_contacts.domain.lead import Lead, LeadFacts
from crm_events.application import ContextApplication, NotFound, Saving
from crm_events.codec import Codec
from crm_events.contracts.contacts import LeadWithdrawn
from crm_events.domain import Aggregate
from crm_events.ids import new_id
from crm_events.kept import Kept, Thing
from crm_events.keys.port import KeysUnavailable
from crm_events.store.mapper import Cause
from crm_events.store.sqlite import SqliteRecorder

from tests.events.domain.things import ID, NOON, OTHER, Named, NotTagged, Tagged
from tests.support.keys import KeysInMemory


class Context(ContextApplication):
    context = "contacts"


@pytest.fixture
def keys() -> KeysInMemory:
    return KeysInMemory()


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[SqliteRecorder]:
    with closing(SqliteRecorder(tmp_path / "contacts.db")) as recorder:
        yield recorder


@pytest.fixture
def app(recorder: SqliteRecorder, keys: KeysInMemory) -> Context:
    return Context(recorder, Codec(keys))


def cause() -> Cause:
    id = new_id()
    return Cause(id, id, None, "local:tester", "live", NOON)


def thing(id: UUID, version: int = 1, subject: UUID | None = None) -> Thing:
    tagged = Tagged(id)
    tagged.version = version
    return Thing(tagged, new_id(), frozenset() if subject is None else frozenset({subject}))


def captured(app: Context, person: UUID) -> UUID:
    def capture() -> Lead:
        lead = Lead(new_id())
        lead.capture(person, LeadFacts("Li Na"), at=NOON)
        return lead

    return app.execute(cause(), capture).id


def name_of(app: Context, lead: UUID) -> str | None:
    """As a command sees it."""

    def look() -> Saving:
        seen.append(app.load(Lead, lead))
        return Saving((seen[-1],))

    seen: list[Lead] = []
    app.execute(cause(), look)
    return seen[-1].facts.name


def test_whoever_takes_a_thing_has_it_alone() -> None:
    kept = Kept(lambda _: True)
    kept.put(thing(ID))
    assert kept.take(Tagged, ID) is not None
    assert kept.take(Tagged, ID) is None


def test_no_more_than_so_many_are_kept() -> None:
    kept = Kept(lambda _: True, most=3)
    ids = [new_id() for _ in range(5)]
    for id in ids:
        kept.put(thing(id))
    assert [id for id in ids if kept.take(Tagged, id)] == ids[2:]


def test_nothing_is_kept_for_longer_than_a_key() -> None:
    now = 0.0
    kept = Kept(lambda _: True, monotonic=lambda: now)
    kept.put(thing(ID))
    now = 300.0
    assert kept.take(Tagged, ID) is None


def test_earlier_version_never_takes_the_place_of_a_later_one() -> None:
    kept = Kept(lambda _: True)
    for version in (2, 3, 1):
        kept.put(thing(ID, version))
    found = kept.take(Tagged, ID)
    assert found is not None
    assert found.aggregate.version == 3
    assert kept.take(Tagged, ID) is None


def test_thing_of_another_kind_is_not_taken() -> None:
    kept = Kept(lambda _: True)
    kept.put(thing(ID))
    assert kept.take(Named, ID) is None


def test_what_is_left_to_others_is_kept_again_after_a_while() -> None:
    now = 0.0
    kept = Kept(lambda _: True, monotonic=lambda: now)
    kept.leave(ID)
    kept.put(thing(ID))
    assert kept.take(Tagged, ID) is None
    now = 300.0
    kept.put(thing(ID))
    assert kept.take(Tagged, ID) is not None


def test_erased_name_is_not_seen_by_the_next_command(app: Context, keys: KeysInMemory) -> None:
    person = new_id()
    lead = captured(app, person)
    assert name_of(app, lead) == "Li Na"
    keys.erase(person)
    assert name_of(app, lead) is None


def test_decision_to_record_nothing_rests_on_what_is_stored(
    app: Context, recorder: SqliteRecorder, keys: KeysInMemory
) -> None:
    """The tag is there as far as this process knows; another one has taken it off."""
    lead = captured(app, new_id())
    other = Context(recorder, Codec(keys))
    for each, change in ((app, Lead.tag), (other, Lead.untag), (app, Lead.tag)):
        each.execute(cause(), partial(_changed, each, lead, change))
    assert app.load(Lead, lead).version == 4


def _changed(app: Context, lead: UUID, change: Callable[..., None]) -> Lead:
    found = app.load(Lead, lead)
    change(found, "vip", at=NOON)
    return found


def test_keys_out_of_reach_are_an_outage(app: Context, keys: KeysInMemory) -> None:
    lead = captured(app, new_id())
    keys.reachable = False
    with pytest.raises(KeysUnavailable):
        name_of(app, lead)


def test_store_of_an_earlier_day_is_what_counts(app: Context, tmp_path: Path) -> None:
    """After a restore, what this process has seen of the days since never was."""
    for tag in ("one", "two"):
        tag_with(app, tag)
    with closing(sqlite3.connect(tmp_path / "contacts.db")) as connection:
        connection.execute("DELETE FROM events WHERE version = 2")
        connection.commit()
    assert tag_with(app, "three") == 2
    assert app.load(Tagged, ID).tags == {"one", "three"}


def tag_with(app: Context, tag: str) -> int:
    def decide() -> Tagged:
        found = found_or_begun(app)
        found.tag(tag)
        return found

    return app.execute(cause(), decide).version


def found_or_begun(app: Context) -> Tagged:
    try:
        return app.load(Tagged, ID)
    except NotFound:
        return Tagged(ID)


def test_withdrawn_thing_is_made_of_its_history_again(app: Context) -> None:
    lead = captured(app, new_id())

    def withdraw() -> Aggregate:
        found = app.load(Lead, lead)
        found.record(LeadWithdrawn(versions=(1,), undoes=OTHER, gone=True), at=NOON)
        return found

    app.execute(cause(), withdraw)
    with pytest.raises(NotFound):
        name_of(app, lead)


def test_what_a_refused_decision_recorded_is_not_kept(app: Context) -> None:
    tag_with(app, "vip")

    def decide() -> Tagged:
        found = app.load(Tagged, ID)
        found.tag("half done")
        found.untag("nowhere")
        return found

    with pytest.raises(NotTagged):
        app.execute(cause(), decide)
    assert tag_with(app, "more") == 2
    assert app.load(Tagged, ID).tags == {"vip", "more"}
