"""Lanes that do not move on, for an event that failed or is missing, and when to look again."""

from __future__ import annotations

from collections.abc import Iterable

import structlog

from crm_events.envelope import Envelope
from crm_events.feed.port import Lane
from crm_events.feed.waiting import Waits

_log = structlog.get_logger("crm.reactions")


class Troubles:
    """What holds the lanes of one consumer, with growing pauses between two looks at it."""

    def __init__(self, consumer: str) -> None:
        self._consumer = consumer
        self.held = Waits(first=1.0, last=60.0)
        self.gaps = Waits(first=0.5, last=30.0)
        self.failed_at: dict[Lane, Envelope] = {}

    def reason(self) -> str | None:
        """Why some lane stands still; None while none does."""
        return next(iter({**self.gaps.reasons, **self.held.reasons}.values()), None)

    def keep_only(self, owned: Iterable[Lane]) -> None:
        """Forget lanes that others own now."""
        lanes = frozenset(owned)
        self.held.keep_only(lanes)
        self.gaps.keep_only(lanes)

    def note_gap(self, lane: Lane, gap: int | None, now: float) -> None:
        """What comes before sequence `gap` is missing; None says that nothing is."""
        if gap is None:
            self.gaps.settle(lane)
        elif lane not in self.gaps:
            place = f"{lane.context}/{lane.partition}"
            self.gaps.hold(lane, f"{place}: what comes before {gap} is missing", now)
            _log.error("reactions_gap", consumer=self._consumer, lane=place, sequence=gap)

    def hold(self, lane: Lane, event: Envelope, error: Exception, now: float) -> None:
        """The lane stands still at an event that cannot be reacted to."""
        place = f"{lane.context}/{lane.partition}/{event.sequence}"
        reason = f"{type(error).__name__} at {place}: {event.type} {event.id}"
        self.failed_at[lane] = event
        self.held.hold(lane, reason, now)
        _log.error("reactions_held", consumer=self._consumer, reason=reason, exc_info=error)
