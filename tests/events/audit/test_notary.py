"""The tree grows over complete positions only, once, whoever is at work."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from crm_events.audit.entry import leaf_hash, read_entry
from crm_events.audit.finding import read_reached
from crm_events.audit.notary import TreeBroken
from crm_events.audit.note import opened_note
from crm_events.audit.tree import root_of

from tests.events.audit.sealing import ORIGIN, Desk
from tests.events.store.building import at_once, whole_log

_ALL = 2**62


def test_checkpoint_says_the_root_over_every_event(desk: Desk) -> None:
    desk.write(300)
    grown = desk.notary.take_in()
    leaves = [leaf_hash(leaf.hashed or b"") for leaf in desk.log.leaves(0, _ALL, 1_000)]
    signed = desk.log.last_signed()
    assert signed is not None
    said = opened_note(signed.note, desk.trusted)
    assert (said.origin, said.size, said.root) == (ORIGIN, 300, root_of(leaves))
    assert (grown.events, grown.head.size, grown.head.position) == (300, 300, signed.position)


def test_nothing_new_signs_nothing(desk: Desk) -> None:
    desk.write(3)
    desk.notary.take_in()
    assert desk.notary.take_in().events == 0
    assert len(desk.log.signed(0, 10)) == 1


def test_entries_hold_every_field_of_the_envelope(desk: Desk) -> None:
    desk.write(5)
    for leaf, envelope in zip(desk.log.leaves(0, _ALL, 10), whole_log(desk.recorder), strict=True):
        assert leaf.hashed is not None
        fields = read_entry(leaf.hashed[1:])
        names = {"event_id": "id", "version": "aggregate_version", "position": "sequence"}
        assert fields == {name: getattr(envelope, names.get(name, name)) for name in fields}


def test_two_notaries_at_once_make_one_tree(desk: Desk, another: Callable[[], Desk]) -> None:
    desks = [desk, another(), another()]
    for seed in range(6):
        desk.write(150, seed)
        outcomes = at_once(*(each.notary.take_in for each in desks))
        assert not [each for each in outcomes if isinstance(each, Exception)]
    assert (desk.check().done, desk.log.head().size) == (True, 900)
    numbers = [signed.number for signed in desk.log.signed(0, 100)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_check_goes_on_where_it_stopped(desk: Desk) -> None:
    for seed in range(4):
        desk.write(200, seed)
        desk.notary.take_in()
    desk.write(7, 9)
    part = desk.check(limit=130, sizes=(5, 256, 300, 800, 801))
    assert (part.done, part.reached.size, part.unsealed, part.wrong) == (True, 800, 7, None)
    leaves = [leaf_hash(leaf.hashed or b"") for leaf in desk.log.leaves(0, _ALL, 1_000)]
    assert {size: root for size, (root, _) in part.roots.items()} == {
        size: root_of(leaves[:size]) for size in (5, 256, 300, 800)
    }
    assert read_reached(str(part.reached)) == part.reached


def test_nothing_is_signed_over_a_head_that_was_changed(
    desk: Desk, another: Callable[[], Desk]
) -> None:
    desk.write(10)
    desk.notary.take_in()
    head, signed = desk.log.head(), desk.log.last_signed()
    assert signed is not None
    forged = replace(head, size=9, position=head.position - 1)
    assert desk.log.grow(head, forged, (), replace(signed, number=2))
    desk.write(10, 2)
    for notary in (desk.notary, another().notary):
        with pytest.raises(TreeBroken):
            notary.take_in()
    assert desk.log.head() == forged


def test_check_of_nothing_is_done(desk: Desk) -> None:
    part = desk.check()
    assert (part.done, part.reached.size, part.reached.peaks) == (True, 0, b"")
