"""The long tier: kills at random moments under load for as long as one likes, then the checks."""

from __future__ import annotations

import time
from typing import Final

from tests.faults.ground import Ground
from tests.faults.nemesis import schedule
from tests.faults.scenarios.kills import prey, struck
from tests.faults.trial import Outcome, trial

NAME: Final = "soak"
_MEAN: Final = 4.0
"""Seconds between kills."""


def soak(place: Ground, seed: int, minutes: float) -> Outcome:
    """Kills, and what is left of memory, files and connections compared with the beginning."""
    ends = time.monotonic() + minutes * 60
    count = max(int(minutes * 60 / _MEAN), 1)
    with trial(place, NAME, seed) as ours:
        ours.sources = ("store", "topic")
        with ours.arriving():
            ours.wait_for_more(200)
        ours.take_standing()
        with ours.arriving():
            strikes = schedule(seed, prey(), count, _MEAN)
            struck(ours, strikes, until=ends)
        ours.rest("the soak")
        ours.figures["minutes"] = minutes
        return ours.judged(NAME)
