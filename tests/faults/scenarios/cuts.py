"""Bad networks between each pair: delay, black hole, reset, one way only, slow."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Final

from crm_servers.dsn import url_of
from crm_servers.ports import LOOPBACK
from psycopg.conninfo import conninfo_to_dict

from tests.faults.evidence import Operation
from tests.faults.ground import Ground
from tests.faults.measuring import percentile, within
from tests.faults.proxy import WEATHERS, Proxy, proxied
from tests.faults.settling import beside, settled
from tests.faults.trial import Outcome, Trial, told, trial

NAME: Final = "bad-networks"
CONTEXTS: Final = ("contacts", "pipeline")
_RATE: Final = 20.0
_LASTS: Final = 3.0
_WELL: Final = 45.0
"""Seconds from the end of a cut until nothing is behind, the slowest client's time-out included."""
SHORT: Final = (("api to PostgreSQL", "black hole"), ("relay to Kafka", "reset"))


@dataclass(frozen=True)
class Ways:
    """A proxy on each way, and what the roles are told so that they take it."""

    proxies: Mapping[str, Proxy]
    dsn: str
    kafka: Mapping[str, str]

    def told(self, part: str) -> dict[str, str]:
        proxy = self.proxies[f"{part} to PostgreSQL"]
        dsn = url_of({**conninfo_to_dict(self.dsn), "port": proxy.port})
        postgres = {"CRM_POSTGRES": dsn, "CRM_KEYS": dsn}
        return postgres if part == "api" else {**postgres, "CRM_KAFKA": self.kafka[part]}


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Every way meets every weather; the order is chance's."""
    with ExitStack() as stack:
        ways = _ways(place, stack)
        apis = [f"{context}-api" for context in CONTEXTS]
        reacts = [f"{context}-react" for context in CONTEXTS]
        ours = stack.enter_context(
            trial(place, NAME, seed, roles=[*reacts, "projections-api"], contexts=CONTEXTS)
        )
        for name in (*apis, *(f"{context}-relay" for context in CONTEXTS), "projections-views"):
            ours.deployment.add(name, ways.told(name.split("-")[1]))
        ours.begin()
        pairs = [(way, weather) for way in ways.proxies for weather in WEATHERS]
        chosen = Random(seed).sample(pairs, len(pairs)) if long else SHORT
        for way, weather in chosen:
            _cut(ours, ways.proxies[way], way, weather)
        ours.rest("all cuts")
        ours.figures["cuts"] = len(chosen)
        return ours.judged(NAME)


def _ways(place: Ground, stack: ExitStack) -> Ways:
    postgres = int(str(conninfo_to_dict(place.postgres.dsn)["port"]))
    proxies = {
        "api to PostgreSQL": proxied(postgres),
        "relay to PostgreSQL": proxied(postgres),
        "views to PostgreSQL": proxied(postgres),
        "relay to Kafka": proxied(place.ports["RELAY"], place.doors["RELAY"]),
        "views to Kafka": proxied(place.ports["VIEWS"], place.doors["VIEWS"]),
    }
    kafka = {part: f"{LOOPBACK}:{place.doors[part.upper()]}" for part in ("relay", "views")}
    begun = {name: stack.enter_context(proxy) for name, proxy in proxies.items()}
    return Ways(begun, place.postgres.dsn, kafka)


def _cut(ours: Trial, proxy: Proxy, way: str, weather: str) -> None:
    """Under load; then everything has to be well again by itself, without a process ended."""
    ours.journal.remark(f"{weather} from {way}")
    with ours.arriving(_RATE):
        ours.wait_for_more(10)
        began = time.monotonic()
        with proxy.during(WEATHERS[weather]):
            ours.last_for(_LASTS)
        ended = time.monotonic()
        ours.wait_for_more(20)
    ours.resolve()
    with beside(ours.deployment) as opened:
        found = settled(opened, f"{weather} from {way}", _WELL)
    ours.healings += found
    slowest = percentile([(o.ended or ended) - o.began for o in _meanwhile(ours, began, ended)], 1)
    well = time.monotonic() - ended
    ours.figures["slowest_answer_seconds"] = round(
        max(slowest or 0.0, ours.figures.get("slowest_answer_seconds", 0.0)), 2
    )
    ours.figures["slowest_recovery_seconds"] = round(
        max(well, ours.figures.get("slowest_recovery_seconds", 0.0)), 2
    )
    told(f"{weather} from {way}: slowest answer {slowest or 0:.2f} s, all well after {well:.1f} s")


def _meanwhile(ours: Trial, began: float, ended: float) -> list[Operation]:
    """First attempts that an answer came to."""
    found = within(ours.journal.operations(), began, ended)
    return [o for o in found if o.ended is not None and not o.repeated]
