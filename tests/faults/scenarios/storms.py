"""Copies of the projection that come and go all the time: lanes change hands again and again."""

from __future__ import annotations

import time
from typing import Final

from tests.faults.ground import Ground
from tests.faults.settling import beside
from tests.faults.trial import Outcome, Trial, told, trial

NAME: Final = "rebalance-storm"
COPIES: Final = ("projections-views", "projections-views-2", "projections-views-3")
CONTEXTS: Final = ("contacts", "pipeline")
SHORT, LONG = 4, 24
_EVERY: Final = 5.0
_RATE: Final = 25.0


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """One of three copies joins or leaves every five seconds; each leaves in good order, and some
    are killed instead."""
    roles = [f"{context}-{part}" for context in CONTEXTS for part in ("api", "relay", "react")]
    with trial(place, NAME, seed, roles=[*roles, COPIES[0]], contexts=CONTEXTS) as ours:
        with ours.arriving(_RATE):
            ours.wait_for_more(40)
            before = _taken(ours)
            ours.last_for(2 * _EVERY)
            steady = (_taken(ours) - before) / (2 * _EVERY)
            began, before, rounds = time.monotonic(), _taken(ours), LONG if long else SHORT
            for number in range(rounds):
                _come_or_go(ours, number)
                ours.last_for(_EVERY)
            stormy = (_taken(ours) - before) / (time.monotonic() - began)
        ours.figures["comings_and_goings"] = rounds
        ours.figures["events_a_second_steady"] = round(steady, 1)
        ours.figures["events_a_second_in_the_storm"] = round(stormy, 1)
        for name, role in ours.deployment.roles.items():
            if not role.wanted:
                ours.deployment.begin(name)
        told(f"{steady:.0f} events a second before the storm, {stormy:.0f} in it")
        ours.rest("the storm")
        return ours.judged(NAME)


def _come_or_go(ours: Trial, number: int) -> None:
    """The second and third copy take turns; every third time one is killed and begun again."""
    name = COPIES[1 + number % 2]
    if name not in ours.deployment.roles:
        ours.deployment.add(name, {"CRM_INSTANCE": name})
    elif number % 3 == 0:
        ours.kill(name)
    elif ours.deployment.roles[name].wanted:
        ours.deployment.halt(name)
    else:
        ours.deployment.begin(name)


def _taken(ours: Trial) -> int:
    with beside(ours.deployment) as opened:
        return opened.view_taken("funnel")
