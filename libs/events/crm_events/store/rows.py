"""The columns of the events table, and what a row of them becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import Notification

from crm_events.envelope import Envelope
from crm_events.store.granted import IdentifiedEvent

Row = Sequence[Any]

EVENT_COLUMNS: Final = (
    "position, aggregate_id, version, type, data, event_id, recorded_at, occurred_at, partition, "
    "correlation_id, causation_id, command_id, actor, origin, supersedes, traceparent"
)
STREAM_COLUMNS: Final = "aggregate_id, version, type, data, event_id"
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

    def envelope(self, row: Row) -> Envelope:
        from_id, from_instant = self.from_id, self.from_instant
        (position, aggregate_id, version, type, data, id, recorded_at, occurred_at, partition,
         correlation, causation, command, actor, origin, supersedes, traceparent) = row  # fmt: skip
        correlation_id = from_id(correlation)
        return Envelope(
            id=from_id(id),
            type=type,
            aggregate_id=from_id(aggregate_id),
            aggregate_version=version,
            sequence=position,
            partition=partition,
            recorded_at=from_instant(recorded_at),
            occurred_at=from_instant(occurred_at),
            correlation_id=correlation_id,
            causation_id=None if causation is None else from_id(causation),
            command_id=correlation_id if command == correlation else from_id(command),
            actor=actor,
            origin=origin,
            supersedes=None if supersedes is None else from_id(supersedes),
            traceparent=traceparent,
            data=data,
        )

    def stored(self, row: Row) -> IdentifiedEvent:
        return IdentifiedEvent(self.from_id(row[0]), row[1], row[2], row[3], self.from_id(row[4]))

    def notification(self, row: Row) -> Notification:
        return Notification(self.from_id(row[1]), row[2], row[3], row[4], id=row[0])
