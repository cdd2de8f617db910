"""Between decided changes and stored events: the codec in the library's terms."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import (
    EventStore,
    JSONTranscoder,
    Mapper,
    Notification,
    Recording,
    StoredEvent,
)

from crm_events.codec import Codec, Slot
from crm_events.domain import Change
from crm_events.envelope import Origin
from crm_events.ids import new_id
from crm_events.partitions import partition_of
from crm_events.store.port import Beside, EventRecorder, NewEvent


@dataclass(frozen=True, slots=True)
class Cause:
    """Why events happen: the command, who gave it, and when it takes effect.

    `fingerprint` is the hash of the request that an Idempotency-Key answers for; None for commands
    that cannot be repeated with another body (reactions, timers, imports).
    """

    command_id: UUID
    correlation_id: UUID
    causation_id: UUID | None
    actor: str
    origin: Origin
    at: datetime
    fingerprint: bytes | None = None
    traceparent: str | None = None


class ChangeMapper(Mapper[UUID]):
    """The library's mapper over our codec; explicit type names, sealed personal fields."""

    def __init__(self, codec: Codec) -> None:
        super().__init__(JSONTranscoder())
        self._codec = codec

    def to_stored_events(
        self, changes: Sequence[Change], cause_of: Mapping[UUID, Cause] | Cause
    ) -> list[StoredEvent]:
        slots = [Slot(c.body.TYPE, c.originator_id, c.originator_version) for c in changes]
        states = self._codec.encode_all(
            [(change.body, slot) for change, slot in zip(changes, slots, strict=True)]
        )
        return [
            _new_event(change, state, _cause(change, cause_of))
            for change, state in zip(changes, states, strict=True)
        ]

    def prepare(self, stored_events: Iterable[StoredEvent]) -> None:
        """Fetch at once the keys that mapping these will need."""
        self._codec.prepare(event.state for event in stored_events)

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[UUID]:
        return cast(DomainEventProtocol[UUID], self.to_change(stored_event))

    def to_change(self, stored_event: StoredEvent) -> Change:
        """The change that was stored, in its newest shape."""
        originator_id = cast(UUID, stored_event.originator_id)
        slot = Slot(stored_event.topic, originator_id, stored_event.originator_version)
        body = self._codec.decode(stored_event.state, slot)
        return Change(originator_id, stored_event.originator_version, body)


def _cause(change: Change, cause_of: Mapping[UUID, Cause] | Cause) -> Cause:
    if isinstance(change.cause, Cause):
        return change.cause
    return cause_of if isinstance(cause_of, Cause) else cause_of[change.originator_id]


def _new_event(change: Change, state: bytes, cause: Cause) -> NewEvent:
    return NewEvent(
        originator_id=change.originator_id,
        originator_version=change.originator_version,
        topic=change.body.TYPE,
        state=state,
        event_id=new_id(),
        occurred_at=change.occurred_at or cause.at,
        partition=partition_of(change.originator_id),
        correlation_id=cause.correlation_id,
        causation_id=cause.causation_id,
        command_id=cause.command_id,
        actor=cause.actor,
        origin=cause.origin,
        supersedes=change.supersedes,
        traceparent=cause.traceparent,
    )


class ChangeStore(EventStore[UUID]):
    """Puts changes with their causes; personal fields of one save share one request for keys."""

    mapper: ChangeMapper
    recorder: EventRecorder

    def put(
        self, domain_events: Sequence[DomainEventProtocol[UUID]], **kwargs: Any
    ) -> list[Recording[UUID]]:
        changes = cast(Sequence[Change], domain_events)
        stored = self.mapper.to_stored_events(changes, kwargs.pop("cause"))
        positions = self.recorder.insert_events(stored, **kwargs) or ()
        return [
            Recording(change, _notification(event, position))
            for change, event, position in zip(domain_events, stored, positions, strict=True)
        ]

    def append(
        self,
        changes: Sequence[Change],
        cause_of: Mapping[UUID, Cause] | Cause,
        beside: Beside | None = None,
    ) -> tuple[Sequence[NewEvent], int]:
        """As `put`, answering the events as they are stored, and the last position."""
        stored = self.mapper.to_stored_events(changes, cause_of)
        positions = self.recorder.insert_events(stored, beside=beside or Beside()) or ()
        return cast(Sequence[NewEvent], stored), max(positions, default=0)

    def streams(self, ids: Sequence[UUID]) -> Iterator[tuple[UUID, list[Change]]]:
        """The changes of many aggregates, read at once."""
        streams = self.recorder.select_streams(ids)
        self.mapper.prepare(event for stored in streams.values() for event in stored)
        for id_, stored in streams.items():
            yield id_, self.changes(stored)

    def changes(self, stored: Iterable[StoredEvent]) -> list[Change]:
        """What was stored, in its newest shape."""
        return [self.mapper.to_change(event) for event in stored]


def _notification(event: StoredEvent, position: int) -> Notification:
    return Notification(
        originator_id=event.originator_id,
        originator_version=event.originator_version,
        topic=event.topic,
        state=event.state,
        id=position,
    )
