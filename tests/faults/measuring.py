"""Figures out of a journal and positions: reported with each scenario, judged by people."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final

from crm_events.catalogue import CONTEXTS

from tests.faults.evidence import Operation
from tests.faults.settling import Beside
from tests.support.waiting import PAUSE

_APIS: Final = {f"{context}-api": context for context in CONTEXTS}
"""Those that take commands."""
WINDOW = 5.0
"""Seconds in which an API that was killed is to be back at its rate."""
_SOON: Final = 1.0
"""Seconds."""


def within(operations: Sequence[Operation], since: float, until: float) -> list[Operation]:
    """Those that were due then: one that had to wait counts where it was meant to be."""
    return [o for o in operations if since <= (o.due or o.began) < until]


def percentile(values: Sequence[float], part: float) -> float | None:
    ranked = sorted(values)
    return ranked[min(int(len(ranked) * part), len(ranked) - 1)] if ranked else None


def milliseconds(operations: Sequence[Operation], part: float) -> float | None:
    """From when they were due to their answer."""
    times = [_took(o) for o in operations if o.outcome == "ok" and o.ended]
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


def apis_back(
    operations: Sequence[Operation], killed: Sequence[tuple[float, str]]
) -> dict[str, float | int | None]:
    """How soon APIs that were killed answered again, and what part of the commands that are due
    from five seconds after their death on they answer within a second, in percent of that before.

    Commands come by chance, now more, now fewer of them to one API; so its rate is told of what it
    was asked. Left out are kills with another one of the same API, or of the database, ten seconds
    around.
    """
    calm = [(at, name) for at, name in killed if name in _APIS and _calm(at, name, killed)]
    waits, before, after = [], _Asked(), _Asked()
    for at, name in calm:
        ours = [o for o in operations if o.context == _APIS[name] and o.outcome == "ok"]
        back = first_ok_after([o for o in ours if not o.repeated], at)
        waits += [back] if back is not None else []
        before.take(ours, at - WINDOW)
        after.take(ours, at + WINDOW)
    return {
        "apis_killed_alone": len(calm),
        "api_back_median_seconds": _rounded(percentile(waits, 0.5)),
        "api_back_p95_seconds": _rounded(percentile(waits, 0.95)),
        "api_back_slowest_seconds": _rounded(max(waits, default=None)),
        "api_asked_after_5_s": after.asked,
        "api_rate_after_5_s_percent": after.part_of(before),
    }


@dataclass(slots=True)
class _Asked:
    """Commands that were due in some windows, and how many of them were answered soon. All are
    answered at last: those that were not then, when they were sent again."""

    asked: int = 0
    answered: int = 0

    def take(self, operations: Sequence[Operation], since: float) -> None:
        due = within([o for o in operations if o.due is not None], since, since + WINDOW)
        self.asked += len(due)
        self.answered += sum(not o.repeated and _took(o) < _SOON for o in due)

    def part_of(self, other: _Asked) -> float | None:
        if not self.asked or not other.answered:
            return None
        return round(100.0 * (self.answered / self.asked) / (other.answered / other.asked), 1)


def _took(operation: Operation) -> float:
    """Seconds from when it was due to its answer."""
    return (operation.ended or inf) - (operation.due or operation.began)


def _calm(at: float, name: str, killed: Sequence[tuple[float, str]]) -> bool:
    troubling = ("postgres", "one backend of postgres", name)
    return not any(
        victim in troubling and moment != at and abs(moment - at) < 2 * WINDOW
        for moment, victim in killed
    )


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 2)


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
