"""Kafka or PostgreSQL away: what goes on, what is said at once, and how soon it is well again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

import httpx
from crm_events.catalogue import CONTEXTS

from tests.faults.evidence import Bound
from tests.faults.ground import Ground
from tests.faults.measuring import (
    drained,
    first_ok_after,
    milliseconds,
    relayed,
    succeeded,
    within,
)
from tests.faults.settling import beside
from tests.faults.trial import Outcome, Trial, told, trial
from tests.support.processes import frozen_process

BROKER, DATABASE = "broker-down", "database-down"
_RATE: Final = 30.0
_CALM: Final = 3.0
_LIMIT: Final = 60.0


# --- without Kafka ---


def broker(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Commands never touch the broker: whether it is dead or only silent, they go on."""
    with trial(place, BROKER, seed) as ours:
        for away in (frozen, killed) if long else (killed,):
            _without_broker(ours, away, 30.0 if long else 8.0)
        ours.rest("the broker's absence")
        return ours.judged(BROKER)


Away = Callable[[Trial], object]


@contextmanager
def frozen(ours: Trial) -> Iterator[None]:
    """The broker takes connections and says nothing."""
    with frozen_process(ours.server("kafka")):
        yield


@contextmanager
def killed(ours: Trial) -> Iterator[None]:
    ours.kill("kafka")
    try:
        yield
    finally:
        ours.begin_server("kafka")


def _without_broker(ours: Trial, away: Callable[[Trial], object], seconds: float) -> None:
    name = getattr(away, "__name__", "away")
    with ours.arriving(_RATE), beside(ours.deployment) as opened:
        ours.wait_for_more(20)
        began = time.monotonic()
        ours.last_for(_CALM)
        gone = time.monotonic()
        with away(ours):  # type: ignore[attr-defined]
            ours.last_for(seconds)
            back = time.monotonic()
        found = drained(opened, relayed, _LIMIT)
    operations = ours.journal.operations()
    without = within(operations, gone, back)
    ours.figures[f"{name}_commands"] = len(without)
    ours.figures[f"{name}_succeeded_percent"] = succeeded(without)
    ours.figures[f"{name}_p99_ms"] = milliseconds(without, 0.99)
    ours.figures[f"{name}_p99_before_ms"] = milliseconds(within(operations, began, gone), 0.99)
    if found is not None:
        ours.figures[f"{name}_drained_events"] = found.events
        ours.figures[f"{name}_drained_seconds"] = found.seconds
        ours.figures[f"{name}_drained_times_arrival"] = found.times_arrival
    told(f"{name}: {len(without)} commands, {succeeded(without)} % answered, {found}")


# --- without PostgreSQL ---


@dataclass
class Heard:
    """Answers while the database was away: how many, the slowest, and those that were no 503 with
    a Retry-After in a problem document."""

    count: int = 0
    slowest: float = 0.0
    wrong: list[str] = field(default_factory=list)
    deaf: list[str] = field(default_factory=list)


def database(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Every API says so at once, none ends, and each answers again by itself."""
    with trial(place, DATABASE, seed) as ours:
        begun = {name: role.starts for name, role in ours.deployment.roles.items()}
        for kill in (False, True):
            for _ in range(3 if long else 1):
                _without_database(ours, kill=kill)
        ours.rest("the database's absence")
        again = sum(role.starts - begun[n] for n, role in ours.deployment.roles.items())
        ours.bounds.append(Bound("roles that had to be begun again", again, 0))
        return ours.judged(DATABASE)


def _without_database(ours: Trial, *, kill: bool) -> None:
    heard = {context: Heard() for context in CONTEXTS}
    with ours.arriving(_RATE):
        ours.wait_for_more(20)
        if kill:
            ours.kill("postgres")
        else:
            ours.place.postgres.stop()
        with ThreadPoolExecutor(len(heard)) as pool:
            list(pool.map(lambda context: _listen(ours, context, heard[context]), heard))
        ours.begin_server("postgres")
        back = time.monotonic()
        ours.wait_for_more(60)
    _note(ours, heard, back, "killed" if kill else "stopped")


def _listen(ours: Trial, context: str, heard: Heard, seconds: float = 4.0) -> None:
    """Ask what needs the database, again and again, and whether the process lives."""
    address = ours.deployment.roles[f"{context}-api"].address
    ends = time.monotonic() + seconds
    with httpx.Client(base_url=address, timeout=10) as client:
        while time.monotonic() < ends:
            began = time.monotonic()
            answer = client.get(f"/v1/{context}/position")
            heard.slowest = max(heard.slowest, time.monotonic() - began)
            heard.count += 1
            if not _as_promised(answer):
                heard.wrong.append(f"{answer.status_code} {answer.text[:80]}")
            if client.get("/livez").status_code != 200:
                heard.deaf.append(context)


def _as_promised(answer: httpx.Response) -> bool:
    problem = answer.headers.get("content-type") == "application/problem+json"
    after = int(answer.headers.get("retry-after", "0"))
    return answer.status_code == 503 and problem and after >= 1


def _note(ours: Trial, heard: dict[str, Heard], back: float, how: str) -> None:
    wrong = [text for each in heard.values() for text in each.wrong]
    deaf = sum(len(each.deaf) for each in heard.values())
    ours.bounds.append(Bound(f"{how}: answers that were no 503: {wrong[:2]}", len(wrong), 0))
    ours.bounds.append(Bound(f"{how}: livez that was not 200", deaf, 0))
    slowest = max(each.slowest for each in heard.values())
    healed = first_ok_after(ours.journal.operations(), back)
    worst = max(slowest, ours.figures.get(f"{how}_slowest_503_seconds", 0.0))
    ours.figures[f"{how}_slowest_503_seconds"] = round(worst, 2)
    asked = ours.figures.get(f"{how}_503s", 0) + sum(each.count for each in heard.values())
    ours.figures[f"{how}_503s"] = asked
    ours.figures[f"{how}_outages"] = ours.figures.get(f"{how}_outages", 0) + 1
    longest = max(healed or _LIMIT, ours.figures.get(f"{how}_healed_seconds", 0.0))
    ours.figures[f"{how}_healed_seconds"] = longest
    told(f"{how}: 503 within {slowest:.2f} s, healed {healed} s after its return")
