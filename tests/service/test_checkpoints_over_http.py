"""Checkpoints leave to an HTTP endpoint that accepts, refuses, is slow, and goes down."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from crm_console.auditing.outside import believed, checkpoints_at
from crm_events.audit.keyfile import make_key
from crm_events.audit.note import Checkpoint, read_checkpoint
from crm_events.ids import new_id
from crm_events.store.sqlite import SqliteRecorder
from crm_service.auditing.desk import AuditDesk, AuditPlace
from crm_service.auditing.keeping import AuditKeeper
from crm_service.auditing.outside import Forked, OutsideUnreachable, OverHttp
from crm_service.health import NotReady

from tests.events.store.building import append, event
from tests.support.shelf import Shelf, served

_PATIENCE = 0.3


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    (tmp_path / "shelf").mkdir()
    return Shelf(tmp_path / "shelf")


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[SqliteRecorder]:
    recorder = SqliteRecorder(tmp_path / "contacts.db")
    make_key(tmp_path / "audit.key")
    yield recorder
    recorder.close()


class Relay:
    """One that seals an event at every step, ten seconds after the step before."""

    def __init__(self, recorder: SqliteRecorder, folder: Path, port: int) -> None:
        self.recorder = recorder
        self.now = 0.0
        address = f"http://127.0.0.1:{port}/worm/"
        self.desk = AuditDesk(
            "contacts", recorder, AuditPlace(folder / "audit.key", "test", address, 10.0)
        )
        self.keeper = AuditKeeper(self.desk, lambda: self.now)

    def step(self) -> None:
        append(self.recorder, [event(new_id(), 1)])
        self.now += 10.0
        self.keeper.turn()


def _named(*sizes: int) -> list[str]:
    return [f"{size:012d}.txt" for size in sizes]


def test_what_is_accepted_has_left(recorder: SqliteRecorder, shelf: Shelf, tmp_path: Path) -> None:
    with served(shelf) as port:
        relay = Relay(recorder, tmp_path, port)
        for _ in range(3):
            relay.step()
    assert shelf.put == _named(1, 2, 3)
    assert relay.desk.log.staying(9) == []
    (left,) = checkpoints_at(shelf.folder).values()
    assert [each.size for each in believed(left, relay.desk.verifiers())] == [1, 2, 3]


def test_what_is_refused_stays_and_leaves_in_order(
    recorder: SqliteRecorder, shelf: Shelf, tmp_path: Path
) -> None:
    with served(shelf) as port:
        relay = Relay(recorder, tmp_path, port)
        shelf.mood = "refusing"
        for _ in range(3):
            relay.step()
        with pytest.raises(NotReady, match="answers 500"):
            relay.keeper.ready()
        assert (shelf.put, relay.desk.log.head().size) == ([], 3)
        shelf.mood = "well"
        relay.step()
    relay.keeper.ready()
    assert shelf.put == _named(1, 2, 3, 4)


def test_what_is_down_is_tried_again_when_it_is_back(
    recorder: SqliteRecorder, shelf: Shelf, tmp_path: Path
) -> None:
    with served(shelf) as port:
        relay = Relay(recorder, tmp_path, port)
        relay.step()
    for _ in range(2):
        relay.step()
    with pytest.raises(NotReady, match="cannot be reached"):
        relay.keeper.ready()
    with served(shelf, port):
        relay.step()
    relay.keeper.ready()
    assert shelf.put == _named(1, 2, 3, 4)
    assert relay.desk.log.staying(9) == []


def _notes(recorder: SqliteRecorder, folder: Path, port: int) -> Iterator[str]:
    relay = Relay(recorder, folder, port)
    while True:
        append(recorder, [event(new_id(), 1)])
        relay.desk.notary().take_in()
        last = relay.desk.log.last_signed()
        assert last is not None
        yield last.note


def test_who_answers_too_late_is_asked_again_and_holds_one_copy(
    recorder: SqliteRecorder, shelf: Shelf, tmp_path: Path
) -> None:
    with served(shelf) as port:
        note = next(_notes(recorder, tmp_path, port))
        over = OverHttp(f"http://127.0.0.1:{port}", seconds=_PATIENCE)
        shelf.mood = "slow"
        with pytest.raises(OutsideUnreachable, match="cannot be reached"):
            over.bring(read_checkpoint(note), note)
        shelf.mood = "well"
        shelf.go_on.set()
        over.bring(read_checkpoint(note), note)
    assert shelf.put == _named(1)


def test_an_answer_without_an_end_holds_nobody_up(
    recorder: SqliteRecorder, shelf: Shelf, tmp_path: Path
) -> None:
    with served(shelf) as port:
        note = next(_notes(recorder, tmp_path, port))
        shelf.mood = "dripping"
        over = OverHttp(f"http://127.0.0.1:{port}", seconds=_PATIENCE)
        brought = threading.Thread(target=over.bring, args=(read_checkpoint(note), note))
        brought.start()
        brought.join(10)
        held_up = brought.is_alive()
    brought.join()
    assert not held_up
    assert shelf.put == _named(1)


def test_another_tree_of_that_size_is_told_and_nothing_overwritten(
    recorder: SqliteRecorder, shelf: Shelf, tmp_path: Path
) -> None:
    with served(shelf) as port:
        notes = _notes(recorder, tmp_path, port)
        first, second = next(notes), next(notes)
        over = OverHttp(f"http://127.0.0.1:{port}")
        checkpoint = read_checkpoint(first)
        over.bring(checkpoint, first)
        (written,) = shelf.folder.rglob("*.txt")
        with pytest.raises(Forked, match="holds another root"):
            over.bring(Checkpoint(checkpoint.origin, 1, read_checkpoint(second).root), second)
        assert written.read_text() == first
        shelf.mood = "hiding"
        with pytest.raises(OutsideUnreachable, match="is there already and cannot be read"):
            over.bring(checkpoint, first)
