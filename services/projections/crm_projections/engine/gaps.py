"""Lanes in which an event is missing: what waits behind it, and when to read the lane again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from crm_events.feed.port import Lane

from crm_projections.engine.admission import Item

MOST_HELD: Final = 20_000
FIRST_DELAY: Final = 0.1
LAST_DELAY: Final = 30.0


@dataclass(slots=True)
class Backoff:
    """Delays in seconds that double from the first to the last."""

    delay: float = FIRST_DELAY

    def next(self) -> float:
        delay, self.delay = self.delay, min(self.delay * 2, LAST_DELAY)
        return delay

    def reset(self) -> None:
        self.delay = FIRST_DELAY


@dataclass(slots=True)
class _Gap:
    held: Sequence[Item]
    retry_at: float
    backoff: Backoff


class Gaps:
    """The gaps of one view. Times are those of a monotonic clock, in seconds."""

    def __init__(self) -> None:
        self._gaps: dict[Lane, _Gap] = {}

    def __len__(self) -> int:
        return len(self._gaps)

    @property
    def lanes(self) -> frozenset[Lane]:
        return frozenset(self._gaps)

    def held(self, lane: Lane) -> Sequence[Item]:
        """What was read of a lane and waits for the event before it."""
        gap = self._gaps.get(lane)
        return gap.held if gap is not None else ()

    def note(self, lane: Lane, ahead: Sequence[Item], now: float) -> bool:
        """Remember what still waits, if anything; answers whether this gap is new."""
        if not ahead:
            self._gaps.pop(lane, None)
            return False
        known = self._gaps.get(lane)
        gap = known or _Gap((), 0.0, Backoff())
        gap.held = ahead
        if known is None:
            gap.retry_at = now + gap.backoff.next()
            self._gaps[lane] = gap
        if len(ahead) > MOST_HELD:
            gap.held, gap.retry_at = (), now
        return known is None

    def overdue(self, now: float) -> set[Lane]:
        """Lanes that nothing has mended in time; they are to be read again from their position."""
        late = {lane for lane, gap in self._gaps.items() if gap.retry_at <= now}
        for lane in late:
            gap = self._gaps[lane]
            gap.held, gap.retry_at = (), now + gap.backoff.next()
        return late

    def clear(self) -> None:
        self._gaps.clear()
