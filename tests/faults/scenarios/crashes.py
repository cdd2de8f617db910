"""Processes that die at the named windows: after the commit and before the answer, and so on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import orjson
from crm_events.clock import utc_now
from crm_projections.engine.instants import micros
from crm_projections.engine.tables import GENERATIONS
from sqlalchemy import update

from tests.faults.ground import Ground
from tests.faults.journal import Command, Refused, Unknown
from tests.faults.settling import beside
from tests.faults.trial import Outcome, Trial, told, trial
from tests.support.waiting import wait_until

NAME: Final = "crash-points"
CONTEXTS: Final = ("contacts", "pipeline")
SHORT, LONG = 2, 6
VIEWS: Final = "projections-views"
_RATE: Final = 25.0
_SECONDS: Final = 240.0
"""Patience with a machine that has other work; no bar."""
_ROWS: Final = 40

PLACES: Final = {
    "saved": ("pipeline-api", 7),
    "published": ("contacts-relay", 5),
    "sealing": ("contacts-relay", 2),
    "sealed": ("contacts-relay", 2),
    "reacted": ("pipeline-react", 3),
    "applied": (VIEWS, 6),
    "taken": (VIEWS, 6),
    "imported": ("contacts-api", 1),
    "rebuilding": (VIEWS, 1),
    "switching": (VIEWS, 1),
}
"""Which role dies at a point, and at the how manieth passage."""
ONCE: Final = ("rebuilding",)
"""Whoever is begun again goes on where the work was, and is past the point: each death is of work
that is begun anew."""


def run(place: Ground, seed: int, *, long: bool) -> Outcome:
    with trial(place, NAME, seed, contexts=CONTEXTS) as ours:
        ours.sources = ("store", "topic") if long else ("store",)
        with ours.arriving(_RATE):
            ours.wait_for_more(40)
            for point in PLACES:
                times = die_at(ours, point, LONG if long else SHORT)
                ours.figures[f"died_{point}"] = times
                told(f"died {times} times at {point}")
            ours.wait_for_more(20)
        ours.rest("the crashes")
        return ours.judged(NAME)


def die_at(ours: Trial, point: str, times: int) -> int:
    """A role is told to die there, is begun again each time it did, and at last told nothing."""
    if point in ONCE:
        return sum(_dies(ours, point, 1) for _ in range(times))
    return _dies(ours, point, times)


def _dies(ours: Trial, point: str, times: int) -> int:
    name, passage = PLACES[point]
    ours.journal.remark(f"{name} dies at {point}")
    _PREPARE.get(point, _nothing)(ours)
    ours.deployment.replace(name, {"CRM_CRASH_AT": f"{point}:{passage}"})
    role = ours.deployment.roles[name]
    provoke = _PROVOKE.get(point, _nothing)
    died = partial(_died, ours, name, times, provoke)
    wait_until(died, f"{name} died {times} times at {point}", _SECONDS)
    deaths = role.starts - 1
    ours.deployment.kills += deaths
    ours.deployment.replace(name, {})
    ours.deployment.wait_ready(name)
    _AFTER.get(point, _nothing)(ours)
    return deaths


def _died(ours: Trial, name: str, times: int, provoke: Callable[[Trial], None]) -> bool:
    provoke(ours)
    return ours.deployment.roles[name].starts > times


def _nothing(_: Trial) -> None:
    """What flows is provocation enough."""


def _outdate(ours: Trial) -> None:
    """The live tables hold another definition now: whoever follows them computes them anew."""
    with beside(ours.deployment) as opened, opened.views.database.writing() as connection:
        live = GENERATIONS.c.status == "live"
        changed = {"definition_version": 0, "created_at": micros(utc_now())}
        connection.execute(update(GENERATIONS).where(live).values(**changed))


def _import(ours: Trial) -> None:
    """A file is sent, and sent again as long as nothing is known of it."""
    number = int(ours.figures.get("imports", 0)) + 1
    ours.figures["imports"] = number
    body = {"source": f"file-{number}", "rows": [row(number, line) for line in range(_ROWS)]}
    effects = {"StaffRegistered": _ROWS}
    command = Command("import", "/v1/contacts/imports/staff", body, 0, effects)
    try:
        ours.journal.say(command)
    except (Unknown, Refused):
        return


def row(number: int, line: int) -> dict[str, Any]:
    values = {"name": f"Grace {number} {line}", "team": "north"}
    digest = orjson.dumps(values).hex()[:64].ljust(64, "0")
    return {"line": line + 2, "key": str(line), "row_hash": digest, "values": values}


def _until_known(ours: Trial) -> None:
    """An import is resumed by sending it again."""
    wait_until(lambda: _resolved(ours), "every import is in", _SECONDS)


def _resolved(ours: Trial) -> bool:
    try:
        ours.journal.resolve()
    except Unknown:
        return False
    return True


_PREPARE: Final[dict[str, Callable[[Trial], None]]] = {
    "rebuilding": _outdate,
    "switching": _outdate,
}
_PROVOKE: Final[dict[str, Callable[[Trial], None]]] = {"imported": _import}
_AFTER: Final[dict[str, Callable[[Trial], None]]] = {"imported": _until_known}
