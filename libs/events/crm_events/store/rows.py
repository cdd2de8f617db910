"""The columns of the events table, and what a row of them becomes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final
from uuid import UUID

from eventsourcing.persistence import Notification

from crm_events.envelope import Envelope, Known, Rest, stored
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
        from_id = self.from_id
        known: Known = (
            *(from_id(row[5]), row[3], from_id(row[1]), row[2], row[0], row[8]),
            *(self.from_instant(row[7]), row[14] and from_id(row[14]), row[4]),
        )
        return stored(known, partial(self._rest, row))

    def _rest(self, row: Row) -> Rest:
        from_id = self.from_id
        correlation, causation, command, actor, origin, _, traceparent = row[9:]
        correlation_id = from_id(correlation)
        return (
            self.from_instant(row[6]),
            correlation_id,
            None if causation is None else from_id(causation),
            correlation_id if command == correlation else from_id(command),
            actor,
            origin,
            traceparent,
        )

    def stored(self, row: Row) -> IdentifiedEvent:
        return IdentifiedEvent(self.from_id(row[0]), row[1], row[2], row[3], self.from_id(row[4]))

    def notification(self, row: Row) -> Notification:
        return Notification(self.from_id(row[1]), row[2], row[3], row[4], id=row[0])
