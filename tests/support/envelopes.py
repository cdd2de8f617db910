"""What is known about an event beside its data, where a test says only what it is about."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from crm_events.envelope import Envelope
from crm_events.partitions import partition_of


def told(
    type: str, aggregate_id: UUID, version: int, sequence: int, at: datetime, **other: Any
) -> Envelope:
    """Recorded and effective at `at`. Whoever tells events gives each its `id`."""
    known: dict[str, Any] = {
        "partition": partition_of(aggregate_id),
        "recorded_at": at,
        "occurred_at": at,
        "correlation_id": aggregate_id,
        "causation_id": None,
        "command_id": aggregate_id,
        "actor": "test",
        "origin": "live",
        "supersedes": None,
        "traceparent": None,
        "data": b"",
    }
    return Envelope(
        type=type,
        aggregate_id=aggregate_id,
        aggregate_version=version,
        sequence=sequence,
        **(known | other),
    )
