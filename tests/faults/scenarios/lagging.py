"""A view whose database is far away: behind for minutes, while nothing else notices."""

from __future__ import annotations

import time
from collections.abc import Iterator
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
from tests.faults.settling import beside
from tests.faults.trial import Outcome, Trial, told, trial, views_of

NAME: Final = "slow-consumer"
CONTEXTS: Final = ("contacts", "pipeline")
SLOW, QUICK = "projections-views", "projections-views-2"
_VIEW: Final = "retention"
_FAR: Final = Weather(delay=0.3)
_CAP: Final = 256
_RATE: Final = 20.0
_EVERY: Final = 0.5
_WAIT: Final = 5.0


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
        calm, slow = Asking(), Asking()
        with ours.arriving(_RATE), _asking(ours, calm):
            ours.last_for(10.0)
        begun = ours.deployment.roles[SLOW].starts
        with ours.arriving(_RATE), _asking(ours, slow), proxy.during(_FAR):
            _lagging(ours, 40_000 if long else 15_000, 90.0 if long else 40.0)
        ours.rest("a database far away")
        again = ours.deployment.roles[SLOW].starts - begun
        ours.bounds.append(Bound("times that the slow one was begun again", again, 0))
        _note(ours, calm, slow)
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


def _lagging(ours: Trial, events: int, seconds: float) -> None:
    """How far behind it is, and how much memory it takes for that."""
    process = psutil.Process(ours.deployment.pid(SLOW))
    ends, most, furthest = time.monotonic() + seconds, 0, 0
    with beside(ours.deployment) as opened:
        written(ours, opened, events, poisoned=False)
        ours.journal.past_every_api("backlog", {"OrderPlaced": events // 2})
        while time.monotonic() < ends:
            most = max(most, process.memory_info().rss // MIB)
            behind = opened.recorders["pipeline"].safe_position() - opened.view_taken(_VIEW)
            furthest = max(furthest, behind)
            ours.last_for(_EVERY)
    ours.bounds.append(Bound("MiB of the slow one while it was behind", most, _CAP))
    ours.bounds.append(Bound("events that it was not behind by", events - furthest, events - 1))
    ours.figures |= {"events_behind": furthest, "left_behind_at_the_end": behind, "mib": most}
    told(f"{furthest} events behind, {behind} at the end, {most} MiB")


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
    while not stop.wait(_EVERY):
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


def _note(ours: Trial, calm: Asking, slow: Asking) -> None:
    wrong = [*calm.wrong, *slow.wrong]
    ours.bounds.append(Bound(f"answers of views that are none: {wrong[:2]}", len(wrong), 0))
    latest = max(slow.refused, default=0.0)
    ours.bounds.append(Bound("seconds until a view that lags said so", latest, _WAIT + 2))
    before, after = (percentile(each.seconds.get("funnel", []), 0.99) for each in (calm, slow))
    ours.figures |= {
        "refused_as_behind": len(slow.refused),
        "other_view_asked": len(slow.seconds.get("funnel", [])),
        "other_view_p99_seconds": None if after is None else round(after, 3),
        "other_view_p99_seconds_before": None if before is None else round(before, 3),
    }
    told(f"{len(slow.refused)} times behind, the other view {before} s before, {after} s meanwhile")
