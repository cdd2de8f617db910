"""Saves as the arguments of one call, and what a refused call means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, cast
from uuid import UUID

import orjson
import psycopg
from eventsourcing.persistence import IntegrityError

from crm_events.sql.arrays import (
    Bigints,
    Blobs,
    Instants,
    Integers,
    PackedArray,
    Smallints,
    Texts,
    Uuids,
)
from crm_events.sql.postgres import Connection
from crm_events.store.granted import Overtaken
from crm_events.store.port import (
    Beside,
    CommandRepeated,
    NewEvent,
    Timer,
    VersionConflict,
)
from crm_events.store.reading_beside import SELECT_COMMAND, already_tracked, command_entry
from crm_events.store.rows import Values


class Save:
    """What one caller wants written: all of it or nothing."""

    __slots__ = ("beside", "events", "versions")

    def __init__(self, events: Sequence[NewEvent], beside: Beside) -> None:
        self.events = events
        self.beside = beside
        self.versions = {(event.originator_id, event.originator_version) for event in events}


def _same(value: Any) -> Any:
    return value


POSTGRES_VALUES: Final = Values(_same, _same, _same, _same)

_CALL: Final = f"SELECT append({', '.join(['%s'] * 24)})"


# One descent into the index for each thing; no other plan is open to the server.
_WHILE_LAST: Final = f"""
    {_CALL} WHERE NOT EXISTS (
        SELECT FROM unnest(%s, %s) AS taken(aggregate, event)
        LEFT JOIN LATERAL (
            SELECT event_id FROM events WHERE aggregate_id = taken.aggregate
            ORDER BY version DESC LIMIT 1
        ) AS last ON true
        WHERE last.event_id IS DISTINCT FROM taken.event
    )
"""


def append(connection: Connection, saves: Sequence[Save]) -> list[list[int]]:
    """The positions of each save, all written in one transaction. Raises psycopg's errors, and
    Overtaken where one of them rests on what is no longer so."""
    events = [event for save in saves for event in save.events]
    arguments: tuple[PackedArray | str | None, ...] = (
        *_event_arrays(events),
        *_command_arrays(saves),
        *_tracking_arrays(saves),
        _rest(saves),
    )
    statement, taken = _CALL, [last for save in saves for last in save.beside.rests_on]
    if taken:
        statement = _WHILE_LAST
        arguments += (
            Uuids.of(last.aggregate_id for last in taken),
            Uuids.of(last.event_id for last in taken),
        )
    row = connection.cursor(binary=True).execute(statement, arguments, prepare=True).fetchone()
    if row is None:
        raise Overtaken("a thing that was decided on has gone on")
    positions = iter(cast(tuple[list[int]], row)[0])
    return [[next(positions) for _ in save.events] for save in saves]


def _event_arrays(events: Sequence[NewEvent]) -> tuple[PackedArray, ...]:
    return (
        Uuids.of(event.originator_id for event in events),
        Integers.of(event.originator_version for event in events),
        Texts.of(event.topic for event in events),
        Blobs.of(event.state for event in events),
        Uuids.of(event.event_id for event in events),
        Instants.of(event.occurred_at for event in events),
        Smallints.of(event.partition for event in events),
        Uuids.of(event.correlation_id for event in events),
        Uuids.of(event.causation_id for event in events),
        Uuids.of(event.command_id for event in events),
        Texts.of(event.actor for event in events),
        Texts.of(event.origin for event in events),
        Uuids.of(event.supersedes for event in events),
        Texts.of(event.traceparent for event in events),
    )


def _command_arrays(saves: Sequence[Save]) -> tuple[PackedArray, ...]:
    """`last` tells which event is the command's last, counted from 1; NULL where it wrote none."""
    logged, written = [], 0
    for save in saves:
        written += len(save.events)
        if save.beside.command is not None:
            logged.append((save.beside.command, written if save.events else None))
    return (
        Uuids.of(command.command_id for command, _ in logged),
        Blobs.of(command.fingerprint for command, _ in logged),
        Uuids.of(command.aggregate_id for command, _ in logged),
        Integers.of(command.version for command, _ in logged),
        Smallints.of(command.partition for command, _ in logged),
        Blobs.of(command.answer for command, _ in logged),
        Integers.of(last for _, last in logged),
    )


def _tracking_arrays(saves: Sequence[Save]) -> tuple[PackedArray, ...]:
    tracked = [tracking for save in saves for tracking in save.beside.tracking]
    return (
        Texts.of(tracking.application_name for tracking in tracked),
        Bigints.of(tracking.notification_id for tracking in tracked),
    )


def _rest(saves: Sequence[Save]) -> str | None:
    """The last word on each timer, directory entry and imported row; NULL where there is none."""
    besides = [save.beside for save in saves]
    if not any(_has_rest(beside) for beside in besides):
        return None
    rest = {
        "timers_done": [id_ for beside in besides for id_ in beside.timers_done],
        "timers": [_timer(timer) for timer in _standing_timers(besides)],
        "directory": [
            {
                "kind": entry.kind,
                "id": entry.id,
                "name_key": None if entry.name_key is None else entry.name_key.hex(),
                "data": orjson.dumps(dict(entry.data)).decode(),
            }
            for entry in {(e.kind, e.id): e for b in besides for e in b.directory}.values()
        ],
        "imported": [
            {"id": row.id, "row_hash": row.row_hash.hex()}
            for row in {row.id: row for b in besides for row in b.imported}.values()
        ],
        "forgotten": [id_ for beside in besides for id_ in beside.forgotten],
    }
    return orjson.dumps(rest).decode()


def _has_rest(of: Beside) -> bool:
    return bool(of.timers or of.timers_done or of.directory or of.imported or of.forgotten)


def _standing_timers(besides: Iterable[Beside]) -> Iterable[Timer]:
    standing: dict[UUID, Timer] = {}
    for beside in besides:
        for id_ in beside.timers_done:
            standing.pop(id_, None)
        standing.update((timer.id, timer) for timer in beside.timers)
    return standing.values()


def _timer(timer: Timer) -> dict[str, Any]:
    return {
        "id": timer.id,
        "name": timer.name,
        "aggregate_id": timer.aggregate_id,
        "due_at": timer.due_at,
    }


_NOT_RISING: Final = "CRM01"


def refused(error: psycopg.Error | Overtaken) -> bool:
    """Whether it was refused for what it says; otherwise something went wrong."""
    if isinstance(error, Overtaken | psycopg.errors.UniqueViolation):
        return True
    return error.sqlstate == _NOT_RISING


def verdict(connection: Connection, save: Save, error: psycopg.Error | Overtaken) -> IntegrityError:
    """Why this save, written alone, was refused, in the words of the port."""
    if isinstance(error, Overtaken):
        return error
    if error.sqlstate == _NOT_RISING:
        return _tracked_already(connection, save)
    if error.diag.constraint_name == "command_log_pkey" and save.beside.command is not None:
        row = _one(connection, SELECT_COMMAND, save.beside.command.command_id)
        return CommandRepeated(command_entry(POSTGRES_VALUES, row))
    return _version_conflict(connection, save, error)


def _one(connection: Connection, statement: str, *parameters: Any) -> Any:
    cursor = connection.cursor(binary=True)
    return cursor.execute(statement.replace("?", "%s"), parameters).fetchone()


def _tracked_already(connection: Connection, save: Save) -> IntegrityError:
    for tracking in save.beside.tracking:
        row = _one(
            connection, "SELECT position FROM tracking WHERE name = ?", tracking.application_name
        )
        if row is not None and row[0] >= tracking.notification_id:
            return already_tracked(tracking)
    return already_tracked(save.beside.tracking[0])


def _version_conflict(connection: Connection, save: Save, error: psycopg.Error) -> IntegrityError:
    ids = Uuids.of({event.originator_id for event in save.events})
    rows = connection.cursor(binary=True).execute(
        "SELECT aggregate_id, max(version) FROM events WHERE aggregate_id = ANY(%s) GROUP BY 1",
        [ids],
    )
    current: dict[Any, int] = dict(rows.fetchall())
    for event in save.events:
        if current.get(event.originator_id, 0) >= event.originator_version:
            return VersionConflict(cast(UUID, event.originator_id), current[event.originator_id])
    return IntegrityError(str(error))


def positions_if_stored(connection: Connection, save: Save) -> list[int] | None:
    """The positions of a save whose outcome was in doubt, if it is there: events have ids."""
    ids = Uuids.of({event.originator_id for event in save.events})
    rows = connection.cursor(binary=True).execute(
        "SELECT event_id, position FROM events WHERE aggregate_id = ANY(%s)", [ids]
    )
    found: dict[UUID, int] = dict(rows.fetchall())
    if not save.events or save.events[0].event_id not in found:
        return None
    return [found[event.event_id] for event in save.events]
