"""One event in a thousand that no view can take: what it stops, and what it costs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from statistics import median
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
import psutil
from crm_events.ids import new_id
from crm_events.store.port import Beside as Along
from crm_events.store.port import NewEvent

from tests.faults.evidence import Poison
from tests.faults.ground import Ground
from tests.faults.settling import Beside, beside
from tests.faults.trial import Outcome, Trial, told, trial
from tests.support.stored import stored_event
from tests.support.waiting import PAUSE, wait_until

NAME: Final = "poison"
SHORT, LONG = 10_000, 40_000
ROUNDS: Final = 9
_ROLES, _CONTEXTS = ("pipeline-relay",), ("pipeline",)
_EVERY: Final = 1_000
_AT_ONCE: Final = 1_000
_SECONDS: Final = 120.0
_VIEW: Final = "retention"
_PLACED, _AMENDED = "crm.pipeline.OrderPlaced.v1", "crm.pipeline.OrderAmended.v1"
_BROKEN: Final = b'{"customer_id": "nobody'


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """The same backlog without poison and with it, in turns; the view that takes it is begun then.
    What one pair of seconds says moves by a tenth either way, so the price is the pairs' median."""
    count, rounds = (LONG, ROUNDS) if long else (SHORT, 1)
    pairs = [_pair(place, seed, count, number) for number in range(1, rounds)]
    without = _clean(place, seed, count, rounds)
    with _trial(place, NAME, seed) as ours:
        pairs.append(Pair(without, _taken(ours, count, poisoned=True)))
        ours.rest("the poison")
        ours.figures.update(_price(pairs))
        ours.figures["poisoned_events"] = len(ours.poison)
        told(f"{len(ours.poison)} of {count} poisoned: {ours.figures['cost_percent']} % slower")
        return ours.judged(NAME)


def _trial(place: Ground, name: str, seed: int) -> AbstractContextManager[Trial]:
    return trial(place, name, seed, roles=_ROLES, contexts=_CONTEXTS)


def _pair(place: Ground, seed: int, count: int, number: int) -> Pair:
    without = _clean(place, seed, count, number)
    with _trial(place, f"{NAME}-{number}", seed) as ours:
        return Pair(without, _taken(ours, count, poisoned=True))


def _clean(place: Ground, seed: int, count: int, number: int) -> Taken:
    with _trial(place, f"{NAME}-none-{number}", seed) as ours:
        return _taken(ours, count, poisoned=False)


def _price(pairs: Sequence[Pair]) -> dict[str, Any]:
    return {
        "rounds": len(pairs),
        "events_a_second_without": round(median(pair.without.rate for pair in pairs)),
        "events_a_second_with": round(median(pair.poisoned.rate for pair in pairs)),
        "cost_percent": round(median(pair.slower for pair in pairs), 1),
        "cost_in_processor_time_percent": round(median(pair.dearer for pair in pairs), 1),
        "costs_in_processor_time_percent": sorted(round(pair.dearer, 1) for pair in pairs),
    }


@dataclass(frozen=True, slots=True)
class Taken:
    """Events a second of a backlog, and the processor time of the projection, in seconds, which
    neighbours change less."""

    rate: float
    work: float


class Pair(NamedTuple):
    """The same backlog, taken twice; prices in percent."""

    without: Taken
    poisoned: Taken

    @property
    def slower(self) -> float:
        return 100.0 * (1 - self.poisoned.rate / self.without.rate)

    @property
    def dearer(self) -> float:
        return 100.0 * (self.poisoned.work / self.without.work - 1)


def _taken(ours: Trial, count: int, *, poisoned: bool) -> Taken:
    with beside(ours.deployment) as opened:
        written(ours, opened, count, poisoned=poisoned)
        recorder = opened.recorders["pipeline"]
        head = recorder.safe_position()
        published = lambda: recorder.relay_state().position >= head  # noqa: E731
        wait_until(published, "the backlog is published", _SECONDS)
        role = ours.deployment.add("projections-views", {"CRM_VIEWS": _VIEW})
        process = psutil.Process(role.process.pid)
        reached = partial(opened.view_taken, _VIEW)
        began = _when(lambda: reached() > 0)
        taken, worked = reached(), _worked(process)
        ended = _when(lambda: reached() >= count)
        worked = _worked(process) - worked
    left = max(count - taken, 1)
    return Taken(left / (ended - began), worked / left)


def _worked(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _when(holds: Callable[[], bool]) -> float:
    deadline = time.monotonic() + _SECONDS
    while not holds():
        if time.monotonic() > deadline:
            raise AssertionError("the view did not take the backlog in time")
        time.sleep(PAUSE / 4)  # noqa: TID251 (this is the waiter)
    return time.monotonic()


def written(ours: Trial, opened: Beside, count: int, *, poisoned: bool) -> None:
    """Orders, each amended once; the bytes of every thousandth event say nothing. What amends a
    poisoned order lies behind it."""
    recorder = opened.recorders["pipeline"]
    for start in range(0, count, _AT_ONCE):
        ids = [new_id() for _ in range(_AT_ONCE // 2)]
        events = [_event(id, 1, _PLACED, _placed(id)) for id in ids]
        events += [_event(id, 2, _AMENDED, _placed(id, "12.00")) for id in ids]
        if poisoned and start % _EVERY == 0:
            events[0] = _event(ids[0], 1, _PLACED, _BROKEN)
            ours.poison.append(Poison(str(events[0].event_id), str(ids[0]), (_VIEW,)))
        recorder.insert_events(events, beside=Along())


def _placed(id: UUID, amount: str = "10.00") -> bytes:
    money = {"amount": amount, "currency": "USD"}
    return orjson.dumps({"customer_id": str(id), "total": money})


def _event(id: UUID, version: int, type: str, data: bytes) -> NewEvent:
    return stored_event(id, version, type, data, by="faults")
