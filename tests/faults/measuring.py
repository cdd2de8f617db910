"""Figures out of a journal and positions: reported with each scenario, judged by people."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.faults.evidence import Operation
from tests.faults.settling import Beside
from tests.support.waiting import PAUSE


def within(operations: Sequence[Operation], since: float, until: float) -> list[Operation]:
    """Those that were due then: one that had to wait counts where it was meant to be."""
    return [o for o in operations if since <= (o.due or o.began) < until]


def percentile(values: Sequence[float], part: float) -> float | None:
    ranked = sorted(values)
    return ranked[min(int(len(ranked) * part), len(ranked) - 1)] if ranked else None


def milliseconds(operations: Sequence[Operation], part: float) -> float | None:
    """From when they were due to their answer."""
    times = [o.ended - (o.due or o.began) for o in operations if o.outcome == "ok" and o.ended]
    found = percentile(times, part)
    return None if found is None else round(found * 1000, 1)


def succeeded(operations: Sequence[Operation]) -> float:
    """The part of them that got an answer, a refusal included; as a percentage."""
    answered = sum(o.outcome != "unknown" for o in operations)
    return round(100.0 * answered / len(operations), 3) if operations else 100.0


def first_ok_after(operations: Sequence[Operation], moment: float) -> float | None:
    """Seconds from `moment` to the first answer of a command that was begun after it."""
    ends = [o.ended for o in operations if o.outcome == "ok" and o.ended and o.began >= moment]
    return round(min(ends) - moment, 2) if ends else None


@dataclass(frozen=True, slots=True)
class Drained:
    """How many events were behind, how many came meanwhile, and how long it took."""

    events: int
    arrived: int
    seconds: float

    @property
    def times_arrival(self) -> float:
        """How much faster than they come events were taken while the backlog lasted."""
        return round((self.events + self.arrived) / max(self.arrived, 1), 1)


def drained(place: Beside, reached: Callable[[Beside], int], limit: float) -> Drained | None:
    """Waits until `reached` has come to where the stores are then; None where it never does."""
    began, first = time.monotonic(), _heads(place)
    behind = first - reached(place)
    while time.monotonic() - began < limit:
        head = _heads(place)
        if reached(place) >= head - _NEARLY:
            return Drained(behind, head - first, round(time.monotonic() - began, 2))
        time.sleep(PAUSE)  # noqa: TID251 (this is the waiter)
    return None


_NEARLY = 5
"""Events in flight are no backlog."""


def _heads(place: Beside) -> int:
    return sum(recorder.safe_position() for recorder in place.recorders.values())


def relayed(place: Beside) -> int:
    return sum(recorder.relay_state().position for recorder in place.recorders.values())
