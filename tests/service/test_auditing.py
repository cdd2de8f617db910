"""Who seals beside a relay: when it is time, when asked, and what it tells while it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from crm_events.audit.keyfile import KeyFileRefused, make_key, public_pem, read_keys
from crm_events.audit.note import opened_note
from crm_events.ids import new_id
from crm_events.store.sqlite import SqliteRecorder
from crm_service.auditing.desk import AuditDesk, AuditPlace
from crm_service.auditing.keeping import AuditKeeper, AuditSeries
from crm_service.health import NotReady
from prometheus_client import CollectorRegistry, generate_latest

from tests.events.store.building import append, event


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[SqliteRecorder]:
    recorder = SqliteRecorder(tmp_path / "contacts.db")
    yield recorder
    recorder.close()


@pytest.fixture
def place(tmp_path: Path) -> AuditPlace:
    make_key(tmp_path / "audit.key")
    return AuditPlace(tmp_path / "audit.key", "test", str(tmp_path / "outside"), 10.0)


class Ticking:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _keeper(recorder: SqliteRecorder, place: AuditPlace) -> tuple[AuditKeeper, Ticking]:
    clock = Ticking()
    return AuditKeeper(AuditDesk("contacts", recorder, place), clock), clock


def _write(recorder: SqliteRecorder, count: int = 1) -> None:
    append(recorder, [event(new_id(), 1) for _ in range(count)])


def _files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "outside").rglob("*.txt"))


def test_seals_and_brings_out_when_it_is_due(
    recorder: SqliteRecorder, place: AuditPlace, tmp_path: Path
) -> None:
    keeper, clock = _keeper(recorder, place)
    _write(recorder, 3)
    keeper.turn()
    assert _files(tmp_path) == []
    clock.now = 10.0
    keeper.turn()
    note = tmp_path / "outside/test/contacts/000000000003.txt"
    verifiers = read_keys(tmp_path / "audit.key").verifiers("test/contacts")
    assert opened_note(note.read_text(), verifiers).size == 3


def test_seals_at_once_when_asked(recorder: SqliteRecorder, place: AuditPlace) -> None:
    keeper, _ = _keeper(recorder, place)
    desk = AuditDesk("contacts", recorder, place)
    _write(recorder, 2)
    desk.log.ask(2)
    keeper.turn()
    assert desk.log.head().size == 2


def test_what_cannot_leave_stays_and_leaves_later(
    recorder: SqliteRecorder, place: AuditPlace, tmp_path: Path
) -> None:
    (tmp_path / "outside").write_text("in the way")
    keeper, clock = _keeper(recorder, place)
    for clock.now in (10.0, 20.0, 30.0):
        _write(recorder)
        keeper.turn()
    with pytest.raises(NotReady, match="cannot be written"):
        keeper.ready()
    registry = CollectorRegistry()
    registry.register(AuditSeries("contacts", keeper))
    assert 'crm_audit_failing{context="contacts"} 1.0' in generate_latest(registry).decode()
    (tmp_path / "outside").unlink()
    clock.now = 40.0
    keeper.turn()
    keeper.ready()
    assert _files(tmp_path) == [f"{size:012d}.txt" for size in (1, 2, 3)]


def test_another_tree_outside_is_told(
    recorder: SqliteRecorder, place: AuditPlace, tmp_path: Path
) -> None:
    """As after a restore: the log went on from an earlier state."""
    keeper, clock = _keeper(recorder, place)
    _write(recorder)
    clock.now = 10.0
    keeper.turn()
    with SqliteOther(tmp_path) as other:
        _write(other)
        again, clock = _keeper(other, place)
        clock.now = 10.0
        again.turn()
        assert "holds another root" in (again.failing or "")


class SqliteOther:
    """A store of another history."""

    def __init__(self, tmp_path: Path) -> None:
        self._recorder = SqliteRecorder(tmp_path / "other.db")

    def __enter__(self) -> SqliteRecorder:
        return self._recorder

    def __exit__(self, *_: object) -> None:
        self._recorder.close()


def test_missing_key_is_told_and_nothing_written(
    recorder: SqliteRecorder, place: AuditPlace, tmp_path: Path
) -> None:
    keeper, clock = _keeper(recorder, replace(place, key_file=tmp_path / "gone.key"))
    _write(recorder)
    clock.now = 10.0
    keeper.turn()
    assert "gone.key, cannot be read" in (keeper.failing or "")
    assert recorder.rows("SELECT size FROM audit_head")[0][0] == 0


def test_key_that_was_replaced_is_still_believed(
    recorder: SqliteRecorder, place: AuditPlace, tmp_path: Path
) -> None:
    _write(recorder)
    AuditDesk("contacts", recorder, place).notary().take_in()
    old, new = tmp_path / "audit.key", tmp_path / "new.key"
    make_key(new)
    new.write_text(new.read_text() + public_pem(read_keys(old).trusted[0]))
    _write(recorder)
    desk = AuditDesk("contacts", recorder, replace(place, key_file=new))
    desk.notary().take_in()
    notes = [signed.note for signed in desk.log.signed(0, 10)]
    assert [opened_note(note, desk.verifiers()).size for note in notes] == [1, 2]


@pytest.mark.parametrize(
    "text", ["", "nothing", "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----"]
)
def test_file_that_holds_no_key_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "audit.key").write_text(text)
    with pytest.raises(KeyFileRefused):
        read_keys(tmp_path / "audit.key")
