"""What SQLite alone can get wrong: groups, the clock, the disk, the end of the process."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest
from crm_events.ids import new_id
from crm_events.sql.migrating import SchemaTooNew
from crm_events.store.port import StoreUnavailable, VersionConflict
from crm_events.store.sqlite import SqliteRecorder

from tests.events.store.building import NOON, append, command, event, program, whole_log
from tests.support.waiting import wait_until


@contextmanager
def _writer_held(path: Path) -> Iterator[None]:
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_refused_save_harms_no_neighbour(sqlite: SqliteRecorder, tmp_path: Path) -> None:
    """The writer is held until all wait, so that they share one transaction."""
    taken = new_id()
    append(sqlite, [event(taken, 1)])
    ids = [taken if n % 3 == 0 else new_id() for n in range(30)]
    with ThreadPoolExecutor(len(ids)) as threads:
        with _writer_held(tmp_path / "contacts.db"):
            saves = [threads.submit(append, sqlite, [event(id_, 1)], command(id_)) for id_ in ids]
            wait_until(lambda: sqlite.waiting >= len(ids) - 1, "all of them wait")
        refused = [save.exception(10) is not None for save in saves]
    assert refused == [n % 3 == 0 for n in range(30)]
    assert all(isinstance(save.exception(), VersionConflict) for save in saves[::3])
    assert [e.sequence for e in whole_log(sqlite)] == list(range(1, 22))


def test_locked_file_is_reported_and_comes_back(sqlite: SqliteRecorder, tmp_path: Path) -> None:
    with _writer_held(tmp_path / "contacts.db"):
        with pytest.raises(StoreUnavailable, match="locked"):
            append(sqlite, [event(new_id(), 1)])
        assert whole_log(sqlite) == []
    assert append(sqlite, [event(new_id(), 1)]) == [1]


def test_recorded_time_never_goes_back(tmp_path: Path) -> None:
    now = NOON

    def clock() -> datetime:
        return now

    path = tmp_path / "contacts.db"
    with closing(SqliteRecorder(path, clock=clock)) as recorder:
        append(recorder, [event(new_id(), 1)])
        now = NOON - timedelta(hours=1)
        append(recorder, [event(new_id(), 1)])
        assert recorder.write_mark() is not None
        assert recorder.write_mark() is None
    with closing(SqliteRecorder(path, clock=clock)) as again:
        append(again, [event(new_id(), 1)])
        assert [e.recorded_at for e in whole_log(again)] == [NOON] * 3


def test_file_opened_again_goes_on_where_it_was(tmp_path: Path) -> None:
    lead, path = new_id(), tmp_path / "contacts.db"
    for version in (1, 2, 3):
        with closing(SqliteRecorder(path)) as recorder:
            assert append(recorder, [event(lead, version)]) == [version]


def test_position_of_a_deleted_event_is_not_given_again(tmp_path: Path) -> None:
    path = tmp_path / "contacts.db"
    with closing(SqliteRecorder(path)) as recorder:
        append(recorder, [event(new_id(), 1), event(new_id(), 1)])
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("DELETE FROM events WHERE position = 2")
        assert append(recorder, [event(new_id(), 1)]) == [3]


def test_closed_store_says_so(tmp_path: Path) -> None:
    recorder = SqliteRecorder(tmp_path / "contacts.db")
    recorder.close()
    for ask in (recorder.ping, partial(append, recorder, [event(new_id(), 1)])):
        with pytest.raises(StoreUnavailable, match="closed"):
            ask()


def test_file_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "contacts.db"
    SqliteRecorder(path).close()
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("UPDATE schema_version SET version_num = '9999'")
    with pytest.raises(SchemaTooNew, match="newer version"):
        SqliteRecorder(path)


def test_acknowledged_events_survive_the_end_of_the_process(tmp_path: Path) -> None:
    path = tmp_path / "contacts.db"
    appending = program("append_for_ever", path)
    assert appending.stdout is not None
    acknowledged = [int(appending.stdout.readline()) for _ in range(200)]
    appending.kill()
    rest, complaints = appending.communicate(timeout=10)
    assert complaints == ""
    acknowledged += [int(line) for line in rest.split("\n")[:-1]]
    with closing(SqliteRecorder(path)) as recorder:
        stored = [e.sequence for e in whole_log(recorder)]
    assert set(acknowledged) <= set(stored)
    assert stored == list(range(1, len(stored) + 1))


def test_full_disk_is_reported_and_nothing_is_half_written(tmp_path: Path) -> None:
    """In a process of its own, which may not write beyond a limit until it is lifted."""
    path = tmp_path / "contacts.db"
    answer, complaints = program("fill_the_disk", path).communicate(timeout=60)
    assert complaints == ""
    refusal, positions = answer.split("\n")
    assert "SQLite could not write" in refusal
    with closing(SqliteRecorder(path)) as recorder:
        assert str([e.sequence for e in whole_log(recorder)]) == positions
    with closing(sqlite3.connect(path)) as other:
        assert other.execute("PRAGMA integrity_check").fetchone() == ("ok",)
