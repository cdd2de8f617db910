"""Part of a batch that is saved as a whole: the events reacted to, and where lanes are after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crm_events.envelope import Envelope
from crm_events.feed.deciding import lane_of
from crm_events.feed.order import InOrder
from crm_events.feed.port import Lane, LaneBatch, LanePosition
from crm_events.feed.tracked import Tracked

Seen = Mapping[Lane, Tracked]


@dataclass(frozen=True, slots=True)
class Portion:
    """`events` in the order they are reacted to; `after` of every lane that moves."""

    events: Sequence[Envelope]
    after: Mapping[Lane, LanePosition]

    def advances(self, seen: Seen) -> dict[Lane, Tracked]:
        """The lanes whose position rises: nothing is saved for repeats."""
        return {
            lane: Tracked(after, seen[lane].revision + 1)
            for lane, after in self.after.items()
            if _beyond(after, seen[lane].position)
        }

    def halves(self, seen: Seen) -> tuple[Portion, Portion]:
        """The same in two portions, to be saved one after the other."""
        middle = len(self.events) // 2
        first = self.events[:middle]
        reached = {lane_of(e): upto(e, seen[lane_of(e)].position) for e in first}
        return Portion(first, reached), Portion(self.events[middle:], self.after)

    def without_lanes(self, lanes: Mapping[Lane, object]) -> Portion:
        """What is left when nothing may move in these lanes."""
        if not lanes:
            return self
        events = [e for e in self.events if lane_of(e) not in lanes]
        return Portion(events, {k: v for k, v in self.after.items() if k not in lanes})

    def stopped_before(self, failed: Mapping[Lane, Envelope], seen: Seen) -> Portion:
        """What is left when these lanes stop right before these events."""
        if not failed:
            return self
        events = [
            e
            for e in self.events
            if lane_of(e) not in failed or e.sequence < failed[lane_of(e)].sequence
        ]
        before = {lane: _right_before(e, seen[lane].position) for lane, e in failed.items()}
        return Portion(events, {**self.after, **before})


def _beyond(after: LanePosition, before: LanePosition) -> bool:
    return after.sequence > before.sequence or after.complete_to > before.complete_to


def upto(last: Envelope, before: LanePosition) -> LanePosition:
    """The position after an event somewhere in a batch; its offset is that of before the batch."""
    complete_to = max(last.sequence, before.complete_to)
    return LanePosition(last.sequence, last.id, before.offset, complete_to)


def _right_before(event: Envelope, before: LanePosition) -> LanePosition:
    complete_to = max(before.complete_to, event.sequence - 1)
    if event.prevsequence <= before.sequence:
        return LanePosition(before.sequence, before.event_id, before.offset, complete_to)
    return LanePosition(event.prevsequence, None, before.offset, complete_to)


def after_batch(batch: LaneBatch, order: InOrder, before: LanePosition) -> LanePosition:
    """The position after what may be taken of a batch; where there is a gap, what waits is read
    again after a restart."""
    last = order.fresh[-1] if order.fresh else None
    sequence, event_id = (last.sequence, last.id) if last else (before.sequence, before.event_id)
    complete_to = max(sequence, before.complete_to)
    if order.gap is not None:
        return LanePosition(sequence, event_id, before.offset, complete_to)
    offset = before.offset if batch.next_offset is None else batch.next_offset
    return LanePosition(sequence, event_id, offset, max(complete_to, batch.complete_to))
