"""Every role ended in good order and begun again, one after another, under load."""

from __future__ import annotations

import time
from typing import Final

from tests.faults.evidence import Bound
from tests.faults.ground import Ground
from tests.faults.trial import Outcome, told, trial

NAME: Final = "rolling-restart"
_DRAIN: Final = 10.0
"""Seconds that a process may take to end after SIGTERM."""


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """What was begun is ended within ten seconds, and nothing needs a hand afterwards."""
    slowest, ended = 0.0, 0
    with trial(place, NAME, seed) as ours:
        with ours.arriving(20.0):
            ours.wait_for_more(20)
            for _ in range(2 if long else 1):
                for name in list(ours.deployment.roles):
                    began = time.monotonic()
                    ours.deployment.halt(name)
                    ended += 1
                    slowest = max(slowest, time.monotonic() - began)
                    ours.deployment.begin(name)
                    ours.deployment.wait_ready(name)
            ours.wait_for_more(20)
        ours.figures["slowest_end_seconds"] = round(slowest, 2)
        ours.figures["ended"] = ended
        ours.bounds.append(Bound("seconds from SIGTERM to the end", slowest, _DRAIN + 1))
        ours.figures["unknown_at_first"] = len(ours.journal.of("unknown"))
        told(f"slowest end {slowest:.1f} s")
        ours.rest("the restarts")
        return ours.judged(NAME)
