"""Too little memory, and too little processor time: killed by the kernel, or slow, never wrong."""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import ExitStack
from functools import partial
from typing import Final

import psutil

from tests.faults.cgroups import MIB, Group, cannot_bound, group
from tests.faults.evidence import Bound
from tests.faults.ground import Ground
from tests.faults.journal import Command, Refused, Unknown
from tests.faults.scenarios.crashes import row
from tests.faults.trial import Outcome, Trial, told, trial
from tests.support.waiting import wait_until

MEMORY, PROCESSOR = "memory-capped", "little-processor-time"
CONTEXTS: Final = ("contacts", "pipeline")
STARVED: Final = ("contacts-api", "contacts-relay", "projections-views")
CAP: Final = 256
"""Mebibytes that each of them has to do with, whatever comes."""
SHARE: Final = 20
"""Percent of one processor."""
_RATE: Final = 20.0
_ROWS: Final = 500
_SECONDS: Final = 120.0
_FOLLOWED: Final = "lanes_followed"

cannot_cap = partial(cannot_bound, "memory")
cannot_share = partial(cannot_bound, "cpu")


def _others() -> list[str]:
    """What nobody starves."""
    every = [f"{context}-{part}" for context in CONTEXTS for part in ("api", "relay", "react")]
    return [*(name for name in every if name not in STARVED), "projections-api"]


def _begun(ours: Trial, groups: Mapping[str, Group]) -> None:
    for name, each in groups.items():
        ours.deployment.add(name, {"CRM_LOG_LEVEL": "INFO"}, prefix=each.prefix)
    ours.begin()
    with ours.arriving(_RATE):
        ours.wait_for_more(40)
    ours.rest("the beginning")


def _groups(stack: ExitStack, controller: str) -> dict[str, Group]:
    return {name: stack.enter_context(group(controller, name)) for name in STARVED}


# --- memory ---


def memory(place: Ground, seed: int, *, long: bool) -> Outcome:
    """First a cap so low that the kernel kills whoever works; then one that all have to stay under
    whatever lies before them."""
    with ExitStack() as stack:
        groups = _groups(stack, "memory")
        ours = stack.enter_context(trial(place, MEMORY, seed, roles=_others(), contexts=CONTEXTS))
        _begun(ours, groups)
        _squeezed(ours, groups)
        for each in groups.values():
            each.cap(CAP)
        ours.rest("the kernel's kills")
        killed = {name: each.killed() for name, each in groups.items()}
        _backlog(ours, 12 if long else 6)
        ours.take_standing()
        _backlog(ours, 30 if long else 6)
        _note_memory(ours, groups, killed)
        return ours.judged(MEMORY)


def _squeezed(ours: Trial, groups: Mapping[str, Group]) -> None:
    """No more than they have at rest, until the kernel has killed each of them at work."""
    for name, each in groups.items():
        told(f"{name} is held at {each.squeeze()} MiB")
    with ours.arriving(_RATE):
        for name, each in groups.items():
            died = partial(_died, ours, each)
            wait_until(died, f"the kernel kills {name} for want of memory", _SECONDS)
            ours.figures[f"killed_{name}"] = each.killed()
            each.cap(CAP)
    ours.deployment.kills += sum(each.killed() for each in groups.values())
    told(f"killed by the kernel: { {name: each.killed() for name, each in groups.items()} }")


def _died(ours: Trial, each: Group) -> bool:
    imported(ours)
    return each.killed() > 0


def _backlog(ours: Trial, files: int) -> None:
    """What the relay and then the views find before them at once; the API takes it meanwhile."""
    for name in ("contacts-relay", "projections-views"):
        ours.deployment.halt(name)
    for _ in range(files):
        imported(ours)
    for name in ("contacts-relay", "projections-views"):
        ours.deployment.begin(name)
    ours.rest("a backlog under a cap")


def imported(ours: Trial) -> None:
    """A file of staff, sent once; what is unknown is asked for when all rests."""
    number = ours.figures["files"] = int(ours.figures.get("files", 0)) + 1
    body = {"source": f"file-{number}", "rows": [row(number, line) for line in range(_ROWS)]}
    effects = {"StaffRegistered": _ROWS}
    command = Command("import", "/v1/contacts/imports/staff", body, 0, effects)
    try:
        ours.journal.say(command)
    except (Unknown, Refused):
        return


def _note_memory(ours: Trial, groups: Mapping[str, Group], killed: Mapping[str, int]) -> None:
    for name, each in groups.items():
        more = each.killed() - killed[name]
        ours.bounds.append(Bound(f"kills of {name} by the kernel at {CAP} MiB", more, 0))
        resident = psutil.Process(ours.deployment.pid(name)).memory_info().rss // MIB
        ours.figures[f"mib_{name}"] = resident
        told(f"{name}: {resident} MiB resident, killed {more} times at {CAP} MiB")


# --- processor time ---


def processor(place: Ground, seed: int, *, long: bool) -> Outcome:
    """For longer than any watchdog waits: everything moves on, and nobody is taken for dead."""
    with ExitStack() as stack:
        groups = _groups(stack, "cpu")
        ours = stack.enter_context(
            trial(place, PROCESSOR, seed, roles=_others(), contexts=CONTEXTS)
        )
        _begun(ours, groups)
        begun = {name: ours.deployment.roles[name].starts for name in STARVED}
        joined = _joined(ours)
        _slowed(ours, groups, 90.0 if long else 40.0)
        ours.rest("too little processor time")
        again = sum(ours.deployment.roles[name].starts - begun[name] for name in STARVED)
        ours.bounds.append(Bound("roles that had to be begun again", again, 0))
        ours.bounds.append(Bound("times that lanes were given anew", _joined(ours) - joined, 0))
        return ours.judged(PROCESSOR)


def _slowed(ours: Trial, groups: Mapping[str, Group], seconds: float) -> None:
    for each in groups.values():
        each.share(SHARE)
    ends, before = time.monotonic() + seconds, ours.journal.acknowledged()
    with ours.arriving(_RATE):
        while time.monotonic() < ends:
            imported(ours)
    answered = (ours.journal.acknowledged() - before) / seconds
    ours.figures["commands_a_second"] = round(answered, 1)
    for name, each in groups.items():
        ours.figures[f"periods_without_{name}"] = each.throttled()
        each.share(0)
    ours.figures["slowest_answer_seconds"] = round(ours.journal.seconds()[-1], 2)
    told(f"{answered:.1f} commands a second at {SHARE} %, {ours.figures}")


def _joined(ours: Trial) -> int:
    """How often a broker has given lanes to the projection: once for each view while nobody is
    taken for dead."""
    return (ours.deployment.folder / "projections-views.log").read_text().count(_FOLLOWED)
