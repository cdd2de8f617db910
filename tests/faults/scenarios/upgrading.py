"""Two versions of the program at once: an upgrade in the wrong order, gone back on, and ended."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from itertools import chain
from typing import Final

import httpx

from tests.faults.evidence import Bound
from tests.faults.ground import Ground
from tests.faults.settling import Beside, beside
from tests.faults.trial import Outcome, Trial, told, trial
from tests.faults.versions import CHANGED, collected_by, next_version
from tests.support.waiting import wait_until

NAME: Final = "mixed-versions"
CONTEXTS: Final = ("contacts", "pipeline")
APIS: Final = tuple(f"{context}-api" for context in CONTEXTS)
STOPPED: Final = ("projections-views", *(f"{context}-react" for context in CONTEXTS))
"""Who meets an event of a version that it does not know."""
_RATE: Final = 25.0
_SECONDS: Final = 90.0
_OLDER: Final = 503
_OLD: Final[Mapping[str, str]] = {}


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    """Producers first, which is the wrong way round: consumers that are older stop before what they
    do not know and say so; nothing is skipped or parked, and they go on once they are upgraded."""
    with trial(place, NAME, seed, contexts=CONTEXTS) as ours:
        newer = next_version(place.folder / NAME)
        ours.collecting = lambda trial: collected_by(trial.deployment, newer)
        with ours.arriving(_RATE):
            ours.wait_for_more(60)
            for _ in range(3 if long else 1):
                _mixed(ours, newer)
            for name in list(ours.deployment.roles):
                ours.deployment.replace(name, newer)
                ours.deployment.wait_ready(name)
            ours.wait_for_more(60)
        older = [o for o in ours.journal.of("unknown") if o.status == _OLDER]
        ours.figures["answered_by_older"] = len(older)
        wrong = [o for o in ours.journal.of("unknown") if o.status not in (0, _OLDER)]
        ours.bounds.append(Bound("answers of 5xx that are no 503", len(wrong), 0))
        ours.rest("the upgrade")
        _note(ours)
        return ours.judged(NAME)


def _mixed(ours: Trial, newer: Mapping[str, str]) -> None:
    """Newer APIs beside everything else that is old; then older ones again, over what those wrote;
    then everything is as new as the other, one after another."""
    _replaced(ours, APIS, newer)
    wait_until(partial(_all_stopped, ours), "who is older stops and says so", _SECONDS)
    told("older views and reactions have stopped before what they do not know")
    ours.wait_for_more(100)
    _replaced(ours, ("contacts-relay",), newer)
    _replaced(ours, APIS, _OLD)
    ours.wait_for_more(100)
    _replaced(ours, (*APIS, *STOPPED), newer)
    ours.deployment.wait_ready()
    ours.wait_for_more(60)
    _replaced(ours, STOPPED, _OLD)


def _replaced(ours: Trial, names: tuple[str, ...], version: Mapping[str, str]) -> None:
    for name in names:
        ours.journal.remark(f"{name} is of the {'next' if version else 'old'} version")
        ours.deployment.replace(name, version)
    if apis := [name for name in names if name in APIS]:
        ours.deployment.wait_ready(*apis)


def _all_stopped(ours: Trial) -> bool:
    return all(_says_so(ours, name) for name in STOPPED)


def _says_so(ours: Trial, name: str) -> bool:
    try:
        answer = httpx.get(f"{ours.deployment.roles[name].address}/readyz", timeout=5)
    except httpx.TransportError:
        return False
    known = [type in answer.text for type in (*CHANGED, "upgrade this program")]
    return answer.status_code == 503 and any(known)


def _note(ours: Trial) -> None:
    """A run in which nothing of the next version was written would prove nothing."""
    with beside(ours.deployment) as opened:
        written = _written(opened)
    for type, count in written.items():
        ours.bounds.append(Bound(f"{type} that is missing", float(count == 0), 0))
    ours.figures["events_of_the_next_version"] = sum(written.values())
    told(f"{written}, {ours.figures['answered_by_older']} were refused by an older copy")


def _written(opened: Beside) -> dict[str, int]:
    found = dict.fromkeys(CHANGED, 0)
    for type in chain.from_iterable(_types(opened, context) for context in CONTEXTS):
        if type in found:
            found[type] += 1
    return found


def _types(opened: Beside, context: str) -> list[str]:
    after, types = 0, list[str]()
    while envelopes := opened.recorders[context].read_log(after, 5_000).envelopes:
        types += [envelope.type for envelope in envelopes]
        after = envelopes[-1].sequence
    return types
