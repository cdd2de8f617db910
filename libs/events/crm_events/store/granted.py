"""What a decision takes for granted: that the last event of a thing is the last one still."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from eventsourcing.persistence import IntegrityError, StoredEvent


@dataclass(frozen=True)
class IdentifiedEvent(StoredEvent):
    """A stored event as a stream is read."""

    event_id: UUID


@dataclass(frozen=True, slots=True)
class LastEvent:
    """A thing that was not read again: what was decided holds while this is its last event."""

    aggregate_id: UUID
    event_id: UUID


class Overtaken(IntegrityError):
    """A thing that the decision rests on has another last event by now: nothing was written."""
