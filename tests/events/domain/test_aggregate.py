"""What an aggregate of any kind promises, on small ones."""

from __future__ import annotations

import pytest
from crm_events.contracts.contacts import (
    LeadDisqualified,
    LeadTagged,
    LeadUntagged,
    OrganisationRegistered,
)
from crm_events.domain import Aggregate, Change, applies

from tests.events.domain.things import ID, LATER, NOON, OTHER, Loud, Named, NotTagged, Tagged

VIP = LeadTagged(tag="vip")


def test_new_aggregate_has_neither_version_nor_events() -> None:
    thing = Tagged(ID)
    assert (thing.id, thing.version, thing.pending) == (ID, 0, ())


def test_recorded_event_is_applied_and_pending() -> None:
    thing = Tagged(ID)
    thing.tag("vip", NOON)
    thing.untag("vip", LATER)
    assert (thing.tags, thing.version) == (set(), 2)
    assert thing.pending == (
        Change(ID, 1, VIP, NOON),
        Change(ID, 2, LeadUntagged(tag="vip"), LATER),
    )


def test_refused_decision_records_nothing() -> None:
    thing = Tagged(ID)
    with pytest.raises(NotTagged):
        thing.untag("vip")
    assert (thing.version, thing.pending) == (0, ())


def test_replay_never_refuses() -> None:
    history = [Change(ID, 1, LeadUntagged(tag="never given"))]
    assert Tagged.from_history(ID, history).version == 1


def test_history_leads_to_the_same_state() -> None:
    thing = Tagged(ID)
    for tag in ("vip", "展会", "cold"):
        thing.tag(tag)
    thing.untag("cold")
    again = Tagged.from_history(ID, thing.pending)
    assert (again.tags, again.version, again.pending) == ({"vip", "展会"}, 4, ())


def test_empty_history_is_version_0() -> None:
    assert Tagged.from_history(ID, []).version == 0


def test_undecided_history_and_pending_events_go_on() -> None:
    pending = (Change(ID, 2, LeadTagged(tag="b"), LATER),)
    thing = Tagged.from_history(ID, [Change(ID, 1, VIP)], pending)
    assert (thing.version, thing.pending, thing.tags) == (2, pending, {"vip", "b"})
    thing.tag("c")
    assert [change.originator_version for change in thing.pending] == [2, 3]


def test_pending_events_are_handed_over_once() -> None:
    thing = Tagged(ID)
    thing.tag("vip")
    assert [change.body for change in thing.collect_events()] == [VIP]
    assert list(thing.collect_events()) == []
    thing.tag("b")
    assert [change.originator_version for change in thing.pending] == [2]


def test_cause_is_named_once() -> None:
    thing = Tagged(ID)
    thing.tag("vip")
    thing.attribute("first")
    thing.tag("b")
    thing.attribute("second")
    assert [change.cause for change in thing.pending] == ["first", "second"]


def test_correction_names_what_it_replaces() -> None:
    thing = Tagged(ID)
    thing.record(VIP, at=NOON, supersedes=OTHER)
    assert thing.pending[0].supersedes == OTHER


def test_event_that_nothing_applies_moves_the_version_only() -> None:
    thing = Tagged.from_history(ID, [Change(ID, 5, LeadDisqualified(reason="no budget"))])
    assert (thing.version, thing.tags) == (5, set())


def test_kind_is_told_by_the_event_it_begins_with() -> None:
    registered = OrganisationRegistered(name="华信")
    assert Tagged.begins_with(Change(ID, 1, VIP))
    assert not Tagged.begins_with(Change(ID, 1, registered))
    assert Named.begins_with(Change(ID, 1, registered))
    assert not Named.begins_with(Change(ID, 1, VIP))
    assert not Aggregate.begins_with(Change(ID, 1, VIP))


def test_subclass_inherits_and_replaces_what_applies() -> None:
    history = [Change(ID, 1, VIP), Change(ID, 2, LeadUntagged(tag="VIP"))]
    assert Loud.from_history(ID, history[:1]).tags == {"VIP"}
    assert Loud.from_history(ID, history).tags == set()
    assert Tagged.from_history(ID, history).tags == {"vip"}


def test_two_methods_for_one_event_are_refused() -> None:
    with pytest.raises(TypeError, match="Twice applies LeadTagged twice"):

        class Twice(Aggregate):
            @applies(LeadTagged)
            def _first(self, event: LeadTagged) -> None: ...

            @applies(LeadTagged)
            def _second(self, event: LeadTagged) -> None: ...
