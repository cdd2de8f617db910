"""Events of one lane of which only the order counts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from crm_events.envelope import Envelope

from tests.support.envelopes import told

NOW = datetime(2026, 1, 1, tzinfo=UTC)
NOBODY = UUID(int=0)


def event(sequence: int, prevsequence: int) -> Envelope:
    return told(
        "crm.contacts.LeadTagged.v1",
        NOBODY,
        sequence,
        sequence,
        NOW,
        id=UUID(int=sequence),
        partition=0,
        data=b"{}",
        prevsequence=prevsequence,
    )


def chain(sequences: Sequence[int]) -> list[Envelope]:
    """A lane whose events have these sequences."""
    before = [0, *sequences]
    return [event(each, before[n]) for n, each in enumerate(sequences)]
