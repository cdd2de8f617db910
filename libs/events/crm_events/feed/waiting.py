"""When to try again what failed: pauses that grow, for each lane by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from crm_events.feed.port import Lane


class Backoff:
    """Delays in seconds that double from the first to the last."""

    def __init__(self, first: float, last: float) -> None:
        self._first, self._last = first, last
        self._delay = first

    def next(self) -> float:
        delay, self._delay = self._delay, min(self._delay * 2, self._last)
        return delay

    def reset(self) -> None:
        self._delay = self._first


@dataclass(slots=True)
class _Wait:
    reason: str
    again_at: float
    backoff: Backoff


class Waits:
    """Lanes that wait, why, and when each is due. Times are those of one monotonic clock."""

    def __init__(self, first: float, last: float) -> None:
        self._first, self._last = first, last
        self._waits: dict[Lane, _Wait] = {}
        self._before: dict[Lane, Backoff] = {}

    @property
    def reasons(self) -> Mapping[Lane, str]:
        """Safe to ask from any thread."""
        return {lane: wait.reason for lane, wait in dict(self._waits).items()}

    def __contains__(self, lane: Lane) -> bool:
        return lane in self._waits

    def hold(self, lane: Lane, reason: str, now: float) -> None:
        """Let a lane wait; the longer, the more often it was held and never settled since."""
        backoff = self._before.setdefault(lane, Backoff(self._first, self._last))
        self._waits[lane] = _Wait(reason, now + backoff.next(), backoff)

    def due(self, now: float) -> list[Lane]:
        """The lanes to try again now; each is due again later if it is not forgotten."""
        late = [lane for lane, wait in self._waits.items() if wait.again_at <= now]
        for lane in late:
            wait = self._waits[lane]
            wait.again_at = now + wait.backoff.next()
        return late

    def release(self, lane: Lane) -> None:
        """It waits no more, and whether it goes on will be seen."""
        self._waits.pop(lane, None)

    def settle(self, lane: Lane) -> None:
        """It goes on."""
        self._waits.pop(lane, None)
        self._before.pop(lane, None)

    def keep_only(self, lanes: Iterable[Lane]) -> None:
        """Lanes that went to another process are no concern of this one."""
        kept = set(lanes)
        self._waits = {lane: wait for lane, wait in self._waits.items() if lane in kept}
