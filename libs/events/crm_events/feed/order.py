"""The two comparisons that make a repeat harmless and a gap visible, without a table of ids."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from crm_events.envelope import Envelope


@dataclass(frozen=True, slots=True)
class InOrder:
    """What of a lane's batch may be taken now: `fresh`, in order, each after the one before it.

    `gap` is the first sequence that must wait for an event which has not come, None where nothing
    waits. Whoever drops what waits loses nothing: the relay repeats from before the missing event.
    """

    fresh: Sequence[Envelope]
    repeats: int
    gap: int | None


def in_order(envelopes: Sequence[Envelope], seen_to: int) -> InOrder:
    """Events that follow `seen_to`, the sequence of the last event taken, without a hole.

    An event at or below it is a repeat; one whose predecessor lies above it reveals a gap. A
    watermark must not stand for it: one that outlived a wiped topic would hide what is filled in
    again. A refused batch leaves `1 2 3 4 6 7 8 5 6 7 8` in a topic, so what lies ahead
    of a gap is passed over, and taken where it comes again or once the gap has closed.
    """
    fresh: list[Envelope] = []
    ahead: list[Envelope] = []
    repeats = 0
    for envelope in envelopes:
        if envelope.sequence <= seen_to:
            repeats += 1
        elif envelope.prevsequence > seen_to:
            ahead.append(envelope)
        else:
            fresh.append(envelope)
            seen_to = envelope.sequence
    if not ahead:
        return InOrder(fresh, repeats, None)
    return _joined(fresh, ahead, repeats, seen_to)


def _joined(fresh: list[Envelope], ahead: list[Envelope], repeats: int, seen_to: int) -> InOrder:
    """What waited follows what closed the gap; what came again meanwhile is a repeat."""
    for envelope in sorted(ahead, key=lambda waiting: waiting.sequence):
        if envelope.sequence <= seen_to:
            repeats += 1
        elif envelope.prevsequence > seen_to:
            return InOrder(fresh, repeats, envelope.sequence)
        else:
            fresh.append(envelope)
            seen_to = envelope.sequence
    return InOrder(fresh, repeats, None)
