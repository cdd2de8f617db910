"""A view whose database is far away: behind for minutes, while nothing else notices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Final

import httpx
import psutil
from crm_servers.dsn import url_of
from psycopg.conninfo import conninfo_to_dict

from tests.faults.cgroups import MIB
from tests.faults.evidence import Bound, Reading
from tests.faults.ground import Ground
from tests.faults.measuring import percentile
from tests.faults.proxy import Proxy, Weather, proxied
from tests.faults.scenarios.poison import written
from tests.faults.settling import Beside, beside
from tests.faults.trial import Outcome, Trial, told, trial, views_of

NAME: Final = "slow-consumer"
CONTEXTS: Final = ("contacts", "pipeline")
SLOW, QUICK = "projections-views", "projections-views-2"
_VIEW: Final = "retention"
_FAR: Final = Weather(delay=0.3)
_CAP: Final = 256
_RATE: Final = 20.0
_EVERY: Final = 0.5
_PACE: Final = 0.1
"""Seconds between two questions: of some hundred, the p99 is not the slowest."""
_WAIT: Final = 5.0
_CALM: Final = 60.0
_PATIENCE: Final = 180.0


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """It falls behind a fast writer and keeps no more in memory for it; who asks it for what it has
    not seen is told so in time; when its database is near again, it catches up."""
    roles = [f"{context}-{part}" for context in CONTEXTS for part in ("api", "relay", "react")]
    port = int(str(conninfo_to_dict(place.postgres.dsn)["port"]))
    with ExitStack() as stack:
        proxy = stack.enter_context(proxied(port))
        ours = stack.enter_context(
            trial(place, NAME, seed, roles=[*roles, "projections-api"], contexts=CONTEXTS)
        )
        _begun(ours, proxy)
        heard = Heard()
        with ours.arriving(_RATE), _asking(ours, heard.before):
            ours.last_for(_CALM)
        begun = ours.deployment.roles[SLOW].starts
        with ours.arriving(_RATE), proxy.during(_FAR), beside(ours.deployment) as opened:
            _lagging(ours, opened, heard, 40_000 if long else 15_000)
        ours.rest("a database far away")
        again = ours.deployment.roles[SLOW].starts - begun
        ours.bounds.append(Bound("times that the slow one was begun again", again, 0))
        _note(ours, heard)
        return ours.judged(NAME)


def _begun(ours: Trial, proxy: Proxy) -> None:
    """One projection for the view that will lag, another for all the others."""
    dsn = url_of({**conninfo_to_dict(ours.place.postgres.dsn), "port": proxy.port})
    others = ",".join(name for name in views_of(CONTEXTS) if name != _VIEW)
    ours.deployment.add(SLOW, {"CRM_VIEWS": _VIEW, "CRM_POSTGRES": dsn})
    ours.deployment.add(QUICK, {"CRM_VIEWS": others})
    ours.deployment.wait_ready()
    with ours.arriving(_RATE):
        ours.wait_for_more(40)
    ours.take_standing()


def _lagging(ours: Trial, opened: Beside, heard: Heard, events: int) -> None:
    """How far behind it is, and how much memory it takes for that. Others are asked while all
    processes have the flood to swallow, and again when only the slow one has."""
    watch = Watch(ours, opened, psutil.Process(ours.deployment.pid(SLOW)))
    with _asking(ours, heard.flood):
        written(ours, opened, events, poisoned=False)
        ours.journal.past_every_api("backlog", {"OrderPlaced": events // 2})
        head = opened.recorders["pipeline"].safe_position()
        watch.until(lambda: opened.view_reached("funnel", "pipeline") >= head)
    with _asking(ours, heard.beside):
        ends = time.monotonic() + _CALM
        watch.until(lambda: time.monotonic() > ends)
    ours.bounds.append(Bound("MiB of the slow one while it was behind", watch.mib, _CAP))
    ours.bounds.append(Bound("events it was not behind by", events - watch.furthest, events - 1))
    ours.bounds.append(Bound("that it had caught up meanwhile", int(watch.behind == 0), 0))
    ours.figures |= {
        "events_behind": watch.furthest,
        "left_behind_at_the_end": watch.behind,
        "mib": watch.mib,
    }
    told(f"{watch.furthest} events behind, {watch.behind} at the end, {watch.mib} MiB")


@dataclass
class Watch:
    """How far behind the slow one is, at the furthest and now, and the most memory it took."""

    ours: Trial
    opened: Beside
    process: psutil.Process
    mib: int = 0
    furthest: int = 0
    behind: int = 0

    def until(self, holds: Callable[[], bool]) -> None:
        """Raises AssertionError where it does not hold within three minutes."""
        ends = time.monotonic() + _PATIENCE
        while not holds():
            assert time.monotonic() < ends, "the other views did not take the flood in time"
            self.mib = max(self.mib, self.process.memory_info().rss // MIB)
            position = self.opened.recorders["pipeline"].safe_position()
            self.behind = position - self.opened.view_taken(_VIEW)
            self.furthest = max(self.furthest, self.behind)
            self.ours.last_for(_EVERY)


@dataclass
class Asking:
    """What views said to somebody who asked each for what was just acknowledged. `wrong` are
    answers that are neither the view nor the documented refusal; seconds of those answered."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    refused: list[float] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def hear(self, view: str, answer: httpx.Response, took: float) -> None:
        if answer.status_code == 200:
            self.seconds.setdefault(view, []).append(took)
        elif _as_documented(answer):
            self.refused.append(took)
        else:
            self.wrong.append(f"{answer.status_code} {answer.text[:80]}")


@dataclass
class Heard:
    """Before anything was slow, while all were flooded, and beside the one that lags."""

    before: Asking = field(default_factory=Asking)
    flood: Asking = field(default_factory=Asking)
    beside: Asking = field(default_factory=Asking)


@contextmanager
def _asking(ours: Trial, heard: Asking) -> Iterator[None]:
    stop = Event()
    threads = [
        Thread(target=_ask, args=(ours, stop, heard, view), daemon=True)
        for view in ("funnel", _VIEW)
    ]
    for each in threads:
        each.start()
    try:
        yield
    finally:
        stop.set()
        for each in threads:
            each.join()


def _ask(ours: Trial, stop: Event, heard: Asking, view: str) -> None:
    while not stop.wait(_PACE):
        latest = max(
            (o for o in ours.journal.of("ok") if o.context == "pipeline" and o.sequence),
            key=lambda o: o.ended or 0.0,
        )
        wanted = int(latest.sequence or 0)
        path, began = f"/v1/views/{view}", time.monotonic()
        asked: dict[str, str | float] = {"after": f"pipeline/*/{wanted}", "wait": _WAIT}
        answer = ours.deployment.door(path).get(path, params=asked)
        heard.hear(view, answer, time.monotonic() - began)
        ours.readings.append(_reading(view, answer, wanted))


def _reading(view: str, answer: httpx.Response, wanted: int) -> Reading:
    shown = answer.json()["position"].get("pipeline") if answer.status_code == 200 else None
    return Reading(f"{view} after pipeline/{wanted}", answer.status_code, wanted, shown)


def _as_documented(answer: httpx.Response) -> bool:
    if answer.headers.get("content-type") != "application/problem+json":
        return False
    told_so = answer.json()["type"] == "/problems/view-behind"
    return answer.status_code == 503 and told_so and "retry-after" in answer.headers


def _note(ours: Trial, heard: Heard) -> None:
    every = (heard.before, heard.flood, heard.beside)
    wrong = [each for asking in every for each in asking.wrong]
    refused = [*heard.flood.refused, *heard.beside.refused]
    ours.bounds.append(Bound(f"answers of views that are none: {wrong[:2]}", len(wrong), 0))
    latest = max(refused, default=0.0)
    ours.bounds.append(Bound("seconds until a view that lags said so", latest, _WAIT + 2))
    before, flood, beside = (percentile(each.seconds.get("funnel", []), 0.99) for each in every)
    ours.figures |= {
        "refused_as_behind": len(refused),
        "other_view_asked": len(heard.beside.seconds.get("funnel", [])),
        "other_view_p99_seconds": _rounded(beside),
        "other_view_p99_seconds_before": _rounded(before),
        "other_view_p99_seconds_in_the_flood": _rounded(flood),
    }
    told(f"{len(refused)} times behind; the other view {before} s before, {beside} s beside it")


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
