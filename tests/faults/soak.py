"""The long tier: kills at random moments under load for as long as one likes, then the checks.

Who is killed every minute cannot leak, so the last part of the time is without kills.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

import psutil

from tests.faults.bounds import bounds, resident, standing
from tests.faults.ground import Ground
from tests.faults.nemesis import schedule
from tests.faults.scenarios.kills import prey, struck
from tests.faults.trial import Outcome, Trial, told, trial

NAME: Final = "soak"
_MEAN: Final = 4.0
"""Seconds between kills."""
_KILLING: Final = 0.6
_WARMING: Final = 0.15
"""Parts of the time: with kills, and without any until memory is compared."""
_CALM_GROWS: Final = 1.25


def soak(place: Ground, seed: int, minutes: float) -> Outcome:
    """Kills, and what is left of memory, files, connections and tables compared with the beginning;
    then the same work without kills, and memory compared with that of a while ago."""
    seconds = minutes * 60
    with trial(place, NAME, seed) as ours:
        ours.sources = ("store", "topic")
        with ours.arriving():
            ours.wait_for_more(200)
        ours.take_standing()
        with ours.arriving():
            ends = time.monotonic() + seconds * _KILLING
            count = max(int(seconds * _KILLING / _MEAN), 1)
            struck(ours, schedule(seed, prey(), count, _MEAN), until=ends)
        ours.rest("the kills of the soak")
        _calm(ours, seconds)
        ours.figures |= {"minutes": minutes, "mib_of_the_harness": round(resident(_ourselves()))}
        return ours.judged(NAME)


def _calm(ours: Trial, seconds: float) -> None:
    with ours.arriving():
        ours.last_for(seconds * _WARMING)
    ours.rest("the first calm of the soak")
    before, began = standing(ours.deployment), time.monotonic()
    with ours.arriving():
        ours.last_for(seconds * (1 - _KILLING - _WARMING))
    ours.rest("the soak")
    after = standing(ours.deployment)
    ours.bounds += bounds(before, after, _CALM_GROWS)
    hours = (time.monotonic() - began) / 3600
    name, slope = steepest(before.memory, after.memory, hours)
    ours.figures |= {"memory_grows_most": name, "memory_percent_an_hour": round(slope, 1)}
    told(f"{name} grows by {slope:.1f} % an hour, seen over {hours * 60:.1f} minutes")


def steepest(
    before: Mapping[str, float], after: Mapping[str, float], hours: float
) -> tuple[str, float]:
    """The role whose memory grows fastest, and by how many percent an hour."""
    slopes = {name: 100 * (after[name] / before[name] - 1) / hours for name in before}
    name = max(slopes, key=slopes.__getitem__)
    return name, slopes[name]


def _ourselves() -> psutil.Process:
    return psutil.Process()
