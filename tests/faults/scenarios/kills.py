"""kill -9 of every role and both servers at random moments under load."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from math import inf
from typing import Final

from crm_events.catalogue import CONTEXTS

from tests.faults.deployment import FOLLOWERS
from tests.faults.ground import Ground
from tests.faults.measuring import WINDOW, apis_back
from tests.faults.nemesis import Prey, Strike, carried_out, schedule
from tests.faults.reading import reading
from tests.faults.trial import BACKEND, SERVERS, Outcome, Trial, told, trial

NAME: Final = "kills"
SHORT, LONG = 18, 240
MEAN: Final = {False: 1.2, True: 2.2}
"""Seconds between kills."""
_APIS: Final = {f"{context}-api": context for context in CONTEXTS}
_DEATHS: Final = 3
"""Of each API, one by one."""
_HANDS: Final = 16
_AWAY: Final = 120.0
"""Seconds: an API that answers nothing for so long is a failure of the run."""


def prey() -> list[Prey]:
    """APIs and relays are killed most often; servers come back after a while."""
    apis = [Prey(f"{context}-api", 2.0) for context in CONTEXTS]
    relays = [Prey(f"{context}-relay", 2.0) for context in CONTEXTS]
    reacts = [Prey(f"{context}-react") for context in FOLLOWERS]
    views = [Prey("projections-views", 3.0), Prey("projections-api")]
    servers = [Prey("kafka", 0.5, 2.0), Prey("postgres", 0.5, 1.0), Prey(BACKEND, 0.5)]
    return [*apis, *relays, *reacts, *views, *servers]


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    strikes = schedule(seed, prey(), LONG if long else SHORT, MEAN[long])
    with trial(place, NAME, seed) as ours:
        ours.sources = ("store", "topic")
        with ours.arriving():
            ours.wait_for_more(60)
        ours.take_standing()
        with ours.arriving(), reading(ours):
            alone = one_by_one(ours) if long else []
            struck(ours, strikes)
            ours.wait_for_more(60)
        ours.rest("the kills")
        operations = ours.journal.operations()
        ours.figures["views_read"] = len(ours.readings)
        ours.figures |= apis_back(operations, alone)
        storm = apis_back(operations, ours.killed[len(alone) :])
        ours.figures |= {f"storm_{name}": figure for name, figure in storm.items()}
        return ours.judged(NAME)


def one_by_one(ours: Trial) -> Sequence[tuple[float, str]]:
    """Each API is killed while all else is well, and nothing else is until it has its rate again:
    what one death costs, without that of others."""
    ours.last_for(WINDOW)
    for context in CONTEXTS * _DEATHS:
        ours.kill(f"{context}-api")
        ours.world.knock(context, _AWAY)
        ours.last_for(2 * WINDOW)
    told(f"{len(ours.killed)} kills one by one, {ours.journal.acknowledged()} ok")
    return tuple(ours.killed)


def struck(ours: Trial, strikes: Sequence[Strike], until: float = inf) -> None:
    """Servers begin again when their time is up, all else at once; an API is knocked at until it
    answers. None comes after `until`, which is of the monotonic clock."""
    with ThreadPoolExecutor(_HANDS) as hands:
        knocks = []
        for number, each in enumerate(carried_out(strikes, lambda s: _strike(ours, s)), start=1):
            if time.monotonic() > until:
                break
            if each.victim in _APIS:
                knocks.append(hands.submit(ours.world.knock, _APIS[each.victim], _AWAY))
            if number % 20 == 0 or number == len(strikes):
                told(f"{number} of {len(strikes)} kills, {ours.journal.acknowledged()} ok, {each}")
    for knock in knocks:
        knock.result()


def _strike(ours: Trial, strike: Strike) -> None:
    ours.kill(strike.victim)
    if strike.victim in SERVERS:
        time.sleep(strike.lasts)  # noqa: TID251 (how long it stays away is what is tried)
        ours.begin_server(strike.victim)
