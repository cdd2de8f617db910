"""Clocks that are wrong: every process lives at another time, and some of them jump."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Final

from tests.faults.ground import Ground
from tests.faults.trial import Outcome, Trial, told, trial

NAME: Final = "wrong-clocks"
CONTEXTS: Final = ("contacts", "pipeline")
TIMES: Final = ("+1h", "-10m", "+24h", "-3d")
SHORT, LONG = 1, 4
_LIBRARY: Final = "faketime/libfaketimeMT.so.1"
_PLACES: Final = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/local/lib")


def library() -> Path | None:
    """libfaketime, where systems keep it."""
    places = [Path(place) / _LIBRARY for place in _PLACES]
    return next((place for place in places if place.is_file()), None)


def cannot_skew() -> str | None:
    """Why no clock can be wrong here; None where it can."""
    if library() is not None:
        return None
    return "libfaketime is missing; install it (apt install libfaketime)"


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """The wall clock decides no order: it only says what time it was for whoever wrote."""
    chance = Random(seed)
    with trial(place, NAME, seed, contexts=CONTEXTS) as ours:
        with ours.arriving(20.0):
            ours.wait_for_more(20)
            for _ in range(LONG if long else SHORT):
                _skew(ours, chance)
                ours.wait_for_more(60)
        ours.rest("the wrong clocks")
        return ours.judged(NAME)


def _skew(ours: Trial, chance: Random) -> None:
    """Every role begins again at a time of its own: its clock has jumped, and differs from all."""
    for name in list(ours.deployment.roles):
        time = chance.choice(TIMES)
        ours.journal.remark(f"{name} lives at {time}")
        ours.deployment.replace(name, _told(time))
        ours.figures["clocks_set"] = ours.figures.get("clocks_set", 0) + 1
    ours.deployment.wait_ready()
    told(f"{ours.figures['clocks_set']} clocks set, {len(ours.journal.of('refused'))} refused")


def _told(time: str) -> Mapping[str, str]:
    """The clock that only ever rises stays as it is: a kernel does not let it jump."""
    return {
        "LD_PRELOAD": str(library()),
        "FAKETIME": time,
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "FAKETIME_NO_CACHE": "1",
    }
