"""One save, written into a group's transaction on SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import cast
from uuid import UUID

import orjson
from eventsourcing.persistence import IntegrityError, Tracking

from crm_events.ids import uuid_of
from crm_events.sealing import subjects_named
from crm_events.sql.instants import from_micros, to_micros
from crm_events.store.forgetting import forgetting
from crm_events.store.granted import LastEvent, Overtaken
from crm_events.store.port import (
    Beside,
    CommandEntry,
    CommandRepeated,
    NewEvent,
    VersionConflict,
)
from crm_events.store.reading_beside import SELECT_COMMAND, already_tracked, command_entry
from crm_events.store.rows import COMMAND_COLUMNS, EVENT_COLUMNS, Row, Values
from crm_events.store.sqlite_writer import Group

SQLITE_VALUES = Values(
    to_id=lambda id_: id_.bytes,
    from_id=uuid_of,
    to_instant=to_micros,
    from_instant=from_micros,
)

_INSERT_EVENT = f"INSERT INTO events ({EVENT_COLUMNS}) VALUES ({', '.join('?' * 16)})"
_INSERT_COMMAND = (
    f"INSERT INTO command_log ({COMMAND_COLUMNS}, done_at) VALUES ({', '.join('?' * 8)})"
)
_TRACK = """
    INSERT INTO tracking (name, position) VALUES (?, ?)
    ON CONFLICT (name) DO UPDATE SET position = excluded.position
    WHERE excluded.position > tracking.position
"""
_LAST_EVENT = "SELECT event_id FROM events WHERE aggregate_id = ? ORDER BY version DESC LIMIT 1"
_PUT_TIMER = "INSERT OR REPLACE INTO timers (id, name, aggregate_id, due_at) VALUES (?, ?, ?, ?)"
_PUT_DIRECTORY = "INSERT OR REPLACE INTO directory (kind, id, name_key, data) VALUES (?, ?, ?, ?)"
_INDEX_SUBJECT = "INSERT OR IGNORE INTO subject_streams (subject, aggregate_id) VALUES (?, ?)"
_FORGET = forgetting(":subject", ":pattern", "x''")
_PUT_IMPORTED = "INSERT OR REPLACE INTO imported (id, row_hash) VALUES (?, ?)"


def append(group: Group, events: Sequence[NewEvent], beside: Beside) -> list[int]:
    """Raises CommandRepeated, AlreadyTracked, Overtaken and VersionConflict; answers positions."""
    before = group.head
    if beside.command is not None:
        _log_command(group, beside.command, before + len(events) if events else 0)
    for tracking in beside.tracking:
        _track(group, tracking)
    _refuse_overtaken(group.cursor, beside.rests_on)
    rows = [_event_row(event, before + n, group.at) for n, event in enumerate(events, 1)]
    try:
        group.cursor.executemany(_INSERT_EVENT, rows)
    except sqlite3.IntegrityError as error:
        raise _conflict(group, events, error) from error
    group.head = before + len(events)
    if named := _named(events):
        group.cursor.executemany(_INDEX_SUBJECT, named)
    if beside.forgotten:
        _forget(group.cursor, beside.forgotten)
    if beside.timers or beside.timers_done or beside.directory or beside.imported:
        _write_beside(group.cursor, beside)
    return list(range(before + 1, group.head + 1))


def _refuse_overtaken(cursor: sqlite3.Cursor, rests_on: Sequence[LastEvent]) -> None:
    for taken in rests_on:
        last = cursor.execute(_LAST_EVENT, [taken.aggregate_id.bytes]).fetchone()
        if last is None or last[0] != taken.event_id.bytes:
            raise Overtaken(f"{taken.aggregate_id} went on after {taken.event_id}")


def _event_row(event: NewEvent, position: int, at: int) -> Row:
    return (
        position,
        cast(UUID, event.originator_id).bytes,
        event.originator_version,
        event.topic,
        event.state,
        event.event_id.bytes,
        at,
        at if event.occurred_at is None else to_micros(event.occurred_at),
        event.partition,
        event.correlation_id.bytes,
        None if event.causation_id is None else event.causation_id.bytes,
        event.command_id.bytes,
        event.actor,
        event.origin,
        None if event.supersedes is None else event.supersedes.bytes,
        event.traceparent,
    )


def _named(events: Sequence[NewEvent]) -> set[tuple[bytes, bytes]]:
    """Whom each thing's events are about; itself needs no entry."""
    return {
        (subject, thing)
        for event in events
        for subject in subjects_named(event.state)
        if subject != (thing := cast(UUID, event.originator_id).bytes)
    }


def _forget(cursor: sqlite3.Cursor, subjects: Sequence[UUID]) -> None:
    for subject in subjects:
        said = {"subject": subject.bytes, "pattern": f"%{subject.hex}%"}
        for statement in _FORGET:
            cursor.execute(statement, said)


def _log_command(group: Group, command: CommandEntry, sequence: int) -> None:
    row = (
        command.command_id.bytes,
        command.fingerprint,
        command.aggregate_id.bytes,
        command.version,
        command.partition,
        command.answer,
        sequence,
        group.at,
    )
    try:
        group.cursor.execute(_INSERT_COMMAND, row)
    except sqlite3.IntegrityError as error:
        first = group.cursor.execute(SELECT_COMMAND, (command.command_id.bytes,)).fetchone()
        raise CommandRepeated(command_entry(SQLITE_VALUES, first)) from error


def _track(group: Group, tracking: Tracking) -> None:
    group.cursor.execute(_TRACK, (tracking.application_name, tracking.notification_id))
    if group.cursor.rowcount != 1:
        raise already_tracked(tracking)


def _conflict(
    group: Group, events: Sequence[NewEvent], error: sqlite3.IntegrityError
) -> IntegrityError:
    """Which aggregate has moved on; rows of this very save do not count."""
    for event in events:
        aggregate_id = cast(UUID, event.originator_id)
        found = group.cursor.execute(
            "SELECT max(version) FROM events WHERE aggregate_id = ? AND position <= ?",
            (aggregate_id.bytes, group.head),
        ).fetchone()
        if (found[0] or 0) >= event.originator_version:
            return VersionConflict(aggregate_id, found[0])
    return IntegrityError(str(error))


def _write_beside(cursor: sqlite3.Cursor, beside: Beside) -> None:
    cursor.executemany(
        "DELETE FROM timers WHERE id = ?", [(id_.bytes,) for id_ in beside.timers_done]
    )
    cursor.executemany(
        _PUT_TIMER,
        [(t.id.bytes, t.name, t.aggregate_id.bytes, to_micros(t.due_at)) for t in beside.timers],
    )
    cursor.executemany(
        _PUT_DIRECTORY,
        [
            (e.kind, e.id.bytes, e.name_key, orjson.dumps(dict(e.data)).decode())
            for e in beside.directory
        ],
    )
    cursor.executemany(_PUT_IMPORTED, [(row.id.bytes, row.row_hash) for row in beside.imported])
