"""Events of one lane of which only the order counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from crm_events.envelope import Envelope

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=0)


def event(sequence: int, prevsequence: int) -> Envelope:
    return Envelope(
        id=UUID(int=sequence),
        type="crm.contacts.LeadTagged.v1",
        aggregate_id=NOBODY,
        aggregate_version=sequence,
        sequence=sequence,
        partition=0,
        recorded_at=NOW,
        occurred_at=NOW,
        correlation_id=NOBODY,
        causation_id=None,
        command_id=NOBODY,
        actor="test",
        origin="live",
        supersedes=None,
        traceparent=None,
        data=b"{}",
        prevsequence=prevsequence,
    )


def chain(sequences: Sequence[int]) -> list[Envelope]:
    """A lane whose events have these sequences."""
    before = [0, *sequences]
    return [event(each, before[n]) for n, each in enumerate(sequences)]
