"""Who may not sign asks through the store; a checkpoint that left is remembered there."""

from __future__ import annotations

from crm_events.audit.proving import check_proof, prove

from tests.events.audit.sealing import Desk
from tests.events.store.building import NOON


def test_what_is_asked_for_only_rises(desk: Desk) -> None:
    for position in (7, 3):
        desk.log.ask(position)
    assert desk.log.asked() == 7


def test_checkpoint_that_left_does_not_stay(desk: Desk) -> None:
    for seed in (1, 2):
        desk.write(3, seed)
        desk.notary.take_in()
    desk.log.has_left(1, NOON)
    assert [signed.number for signed in desk.log.staying(10)] == [2]
    assert desk.log.signed(0, 1)[0].left == NOON


def test_every_event_is_proven(desk: Desk) -> None:
    """In a tree of several tiles, the last of them not whole."""
    ids = desk.write(700)
    desk.notary.take_in()
    for id in (*ids[::97], ids[255], ids[256], ids[-1]):
        assert check_proof(prove(desk.log, id, desk.trusted), desk.trusted).fields["event_id"] == id
