"""The columns of the events table, and what a row of them becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import Notification, StoredEvent

from crm_events.envelope import Envelope

Row = Sequence[Any]

EVENT_COLUMNS: Final = (
    "position, aggregate_id, version, type, data, event_id, recorded_at, occurred_at, partition, "
    "correlation_id, causation_id, command_id, actor, origin, supersedes, traceparent"
)
STREAM_COLUMNS: Final = "aggregate_id, version, type, data"
COMMAND_COLUMNS: Final = (
    "command_id, fingerprint, aggregate_id, version, partition, answer, sequence"
)


class Values:
    """How one database's driver takes and gives ids and instants."""

    def __init__(
        self,
        to_id: Callable[[UUID], Any],
        from_id: Callable[[Any], UUID],
        to_instant: Callable[[datetime], Any],
        from_instant: Callable[[Any], datetime],
    ) -> None:
        self.to_id = to_id
        self.from_id = from_id
        self.to_instant = to_instant
        self.from_instant = from_instant

    def id_or_none(self, value: Any) -> UUID | None:
        return None if value is None else self.from_id(value)

    def envelope(self, row: Row) -> Envelope:
        return Envelope(
            id=self.from_id(row[5]),
            type=row[3],
            aggregate_id=self.from_id(row[1]),
            aggregate_version=row[2],
            sequence=row[0],
            partition=row[8],
            recorded_at=self.from_instant(row[6]),
            occurred_at=self.from_instant(row[7]),
            correlation_id=self.from_id(row[9]),
            causation_id=self.id_or_none(row[10]),
            command_id=self.from_id(row[11]),
            actor=row[12],
            origin=row[13],
            supersedes=self.id_or_none(row[14]),
            traceparent=row[15],
            data=row[4],
        )

    def stored(self, row: Row) -> StoredEvent:
        return StoredEvent(self.from_id(row[0]), row[1], row[2], row[3])

    def notification(self, row: Row) -> Notification:
        return Notification(self.from_id(row[1]), row[2], row[3], row[4], id=row[0])
