"""The two comparisons that make a repeat harmless and a gap visible, without a table of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm_events.envelope import Envelope


@dataclass(frozen=True, slots=True)
class InOrder:
    """What of a lane's batch may be taken now. `gap` is the first sequence that must wait."""

    fresh: Sequence[Envelope]
    repeats: int
    gap: int | None


def in_order(envelopes: Sequence[Envelope], seen_to: int) -> InOrder:
    """Events that follow `seen_to` without a hole.

    `seen_to` is the sequence up to which the lane has been seen whole: its last event or a
    watermark above it. An event at or below it is a repeat; one whose predecessor lies above it
    reveals a gap.
    """
    fresh: list[Envelope] = []
    repeats = 0
    for envelope in envelopes:
        if envelope.sequence <= seen_to:
            repeats += 1
        elif envelope.prevsequence > seen_to:
            return InOrder(fresh, repeats, envelope.sequence)
        else:
            fresh.append(envelope)
            seen_to = envelope.sequence
    return InOrder(fresh, repeats, None)
