"""What lies beside the events, read from either database in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import orjson
from eventsourcing.persistence import Tracking

from crm_events.store.port import (
    AlreadyTracked,
    Beside,
    CommandEntry,
    DirectoryEntry,
    Mark,
    RelayState,
    Timer,
)
from crm_events.store.reading import LogQueries
from crm_events.store.rows import COMMAND_COLUMNS, Row, Values

_BEFORE_ALL: Final = datetime(1970, 1, 1, tzinfo=UTC)

SELECT_COMMAND: Final = f"SELECT {COMMAND_COLUMNS} FROM command_log WHERE command_id = ?"
SELECT_RELAY: Final = "SELECT position, epoch, last_in_partition FROM relay"


def command_entry(of: Values, row: Row) -> CommandEntry:
    return CommandEntry(
        command_id=of.from_id(row[0]),
        fingerprint=row[1],
        aggregate_id=of.from_id(row[2]),
        version=row[3],
        partition=row[4],
        answer=row[5],
        sequence=row[6],
    )


def relay_state(row: Row) -> RelayState:
    lasts = {int(partition): last for partition, last in orjson.loads(row[2]).items()}
    return RelayState(row[0], row[1], lasts)


def packed_lasts(state: RelayState) -> str:
    return orjson.dumps(state.last_in_partition, option=orjson.OPT_NON_STR_KEYS).decode()


def everything_beside(kwargs: Mapping[str, Any]) -> Beside:
    """The keywords of `insert_events`, ours and the library's, as one."""
    beside: Beside = kwargs.get("beside") or Beside()
    tracking: Tracking | None = kwargs.get("tracking")
    return beside if tracking is None else _tracked(beside, tracking)


def _tracked(beside: Beside, tracking: Tracking) -> Beside:
    return Beside(
        beside.command,
        (*beside.tracking, tracking),
        beside.timers,
        beside.timers_done,
        beside.directory,
        beside.imported,
        beside.forgotten,
        beside.rests_on,
    )


def already_tracked(tracking: Tracking) -> AlreadyTracked:
    return AlreadyTracked(
        f"{tracking.application_name} has recorded {tracking.notification_id} or beyond already"
    )


class BesideQueries(LogQueries):
    """Commands, tracking, timers, directory, imported rows, marks and the relay's row."""

    def insert_tracking(self, tracking: Tracking) -> None:
        self.insert_events((), tracking=tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        rows = self.rows("SELECT position FROM tracking WHERE name = ?", application_name)
        return rows[0][0] if rows else None

    def find_command(self, command_id: UUID) -> CommandEntry | None:
        rows = self.rows(SELECT_COMMAND, self.values.to_id(command_id))
        return command_entry(self.values, rows[0]) if rows else None

    def due_timers(self, now: datetime, limit: int) -> Sequence[Timer]:
        rows = self.rows(
            "SELECT id, name, aggregate_id, due_at FROM timers WHERE due_at <= ? "
            "ORDER BY due_at, id LIMIT ?",
            self.values.to_instant(now),
            limit,
        )
        of = self.values
        return [
            Timer(of.from_id(id_), name, of.from_id(aggregate_id), of.from_instant(due_at))
            for id_, name, aggregate_id, due_at in rows
        ]

    def next_due(self) -> datetime | None:
        due = self.rows("SELECT min(due_at) FROM timers")[0][0]
        return None if due is None else self.values.from_instant(due)

    def directory(self, kind: str, ids: Iterable[UUID]) -> Mapping[UUID, DirectoryEntry]:
        entries = [
            DirectoryEntry(kind, self.values.from_id(row[0]), row[1], orjson.loads(row[2]))
            for condition, parameters in self.among_ids(ids)
            for row in self.rows(
                f"SELECT id, name_key, data FROM directory WHERE kind = ? AND id {condition}",
                kind,
                *parameters,
            )
        ]
        return {entry.id: entry for entry in entries}

    def directory_of(self, kind: str) -> Sequence[DirectoryEntry]:
        rows = self.rows("SELECT id, name_key, data FROM directory WHERE kind = ?", kind)
        from_id = self.values.from_id
        return [DirectoryEntry(kind, from_id(row[0]), row[1], orjson.loads(row[2])) for row in rows]

    def directory_saying(
        self, kind: str, data: Iterable[Mapping[str, Any]]
    ) -> Sequence[DirectoryEntry]:
        texts = [orjson.dumps(dict(each)).decode() for each in data]
        return [
            DirectoryEntry(kind, self.values.from_id(row[0]), row[1], orjson.loads(row[2]))
            for condition, parameters in self.among(texts)
            for row in self.rows(
                f"SELECT id, name_key, data FROM directory WHERE kind = ? AND data {condition}",
                kind,
                *parameters,
            )
        ]

    def directory_by_name(self, kind: str, keys: Iterable[bytes]) -> Mapping[bytes, UUID]:
        """Where several share a name, always the same one: the lowest id."""
        return {
            row[0]: self.values.from_id(row[1])
            for condition, parameters in self.among(keys)
            for row in self.rows(
                "SELECT name_key, id FROM directory "
                f"WHERE kind = ? AND name_key {condition} ORDER BY id DESC",
                kind,
                *parameters,
            )
        }

    def imported(self, ids: Iterable[UUID]) -> Mapping[UUID, bytes]:
        return {
            self.values.from_id(row[0]): row[1]
            for condition, parameters in self.among_ids(ids)
            for row in self.rows(
                f"SELECT id, row_hash FROM imported WHERE id {condition}", *parameters
            )
        }

    def marks(self, after: datetime | None, limit: int) -> Sequence[Mark]:
        rows = self.rows(
            "SELECT at, safe_to FROM marks WHERE at > ? ORDER BY at LIMIT ?",
            self.values.to_instant(_BEFORE_ALL if after is None else after),
            limit,
        )
        return [Mark(self.values.from_instant(row[0]), row[1]) for row in rows]

    def relay_state(self) -> RelayState:
        return relay_state(self.rows(SELECT_RELAY)[0])

    def ping(self) -> None:
        self.rows("SELECT 1")
