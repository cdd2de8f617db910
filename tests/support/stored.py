"""Events put straight into a store, past every decision: as others stored them, or poisoned."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from crm_events.ids import new_id
from crm_events.partitions import partition_of
from crm_events.store.port import NewEvent


def stored_event(
    id: UUID, version: int, type: str, data: bytes, *, by: str, at: datetime | None = None
) -> NewEvent:
    """Of a command of its own."""
    command = new_id()
    return NewEvent(
        originator_id=id,
        originator_version=version,
        topic=type,
        state=data,
        event_id=new_id(),
        occurred_at=at,
        partition=partition_of(id),
        correlation_id=command,
        causation_id=None,
        command_id=command,
        actor=by,
        origin="live",
        supersedes=None,
        traceparent=None,
    )
