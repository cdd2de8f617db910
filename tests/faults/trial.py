"""One scenario's life: roles under load, faults between, rest, evidence, verdicts."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import psutil
import psycopg
from crm_events.catalogue import CONTEXTS
from crm_servers import ServerUnavailable
from crm_servers.distributed.topology import VIEWS

from tests.faults import evidence as records
from tests.faults.bounds import Standing, bounds, standing
from tests.faults.collecting import collected
from tests.faults.deployment import Deployment, deployed, usual_roles
from tests.faults.evidence import HISTORY, Bound, Evidence, Healing, Poison, Reading
from tests.faults.ground import Ground
from tests.faults.invariants import Verdict, check
from tests.faults.journal import Journal, Unknown
from tests.faults.load import World, arriving
from tests.faults.settling import WELL_AGAIN, beside, settled
from tests.support.waiting import wait_until

_PATIENT: Final = 3
RATE: Final = 40.0
"""Commands a second: about half of what two cores take with everything on them."""


@dataclass
class Outcome:
    """What a scenario found. `figures` are measured, and judged by nobody here."""

    name: str
    kills: int
    invariants: Mapping[str, Verdict]
    figures: Mapping[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def violated(self) -> int:
        return sum(verdict.violated for verdict in self.invariants.values())


@dataclass
class Trial:
    """What a scenario works with."""

    place: Ground
    deployment: Deployment
    journal: Journal
    world: World
    seed: int
    healings: list[Healing] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    poison: list[Poison] = field(default_factory=list)
    bounds: list[Bound] = field(default_factory=list)
    figures: dict[str, Any] = field(default_factory=dict)
    sources: Sequence[str] = ("store",)
    evidence: Evidence = field(default_factory=Evidence)
    chance: Random = field(default_factory=Random)
    killed: list[tuple[float, str]] = field(default_factory=list)
    collecting: Callable[[Trial], Evidence] | None = None
    """How to take the evidence, where this process is of another version than what it tries."""
    _standing: Standing | None = None

    def kill(self, name: str) -> None:
        """SIGKILL of a role or a server, written into the journal."""
        self.journal.remark(f"kill -9 {name}")
        self.killed.append((time.monotonic(), name))
        if name == BACKEND:
            self._kill_backend()
            return
        if name in SERVERS:
            getattr(self.place, name).kill()
            self.deployment.kills += 1
        else:
            self.deployment.kill(name)

    def _kill_backend(self) -> None:
        """One session's process of PostgreSQL; the server then ends all others by itself."""
        query = "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'"
        with psycopg.connect(self.place.postgres.dsn, autocommit=True) as connection:
            pids = [row[0] for row in connection.execute(query)]
            os.kill(self.chance.choice(pids), signal.SIGKILL)
        self.deployment.kills += 1

    def begin_server(self, name: str) -> None:
        """A machine with much to do may take longer than a server is waited for; that is no
        verdict, and hours of a soak are not thrown away for it."""
        for _ in range(_PATIENT):
            self.journal.remark(f"start {name}")
            with suppress(ServerUnavailable):
                getattr(self.place, name).start()
                return
        getattr(self.place, name).start()

    def server(self, name: str) -> psutil.Process:
        """The process of a server, to be frozen."""
        mine = psutil.Process().children()
        return next(child for child in mine if name in " ".join(child.cmdline()[-3:]))

    def last_for(self, seconds: float) -> None:
        """How long a fault lasts is what is tried, not a wait for anything."""
        time.sleep(seconds)  # noqa: TID251

    def wait_for_more(self, operations: int, seconds: float = 60.0) -> None:
        wanted = self.journal.acknowledged() + operations
        wait_until(
            lambda: self.journal.acknowledged() >= wanted, f"{operations} more are ok", seconds
        )

    def arriving(self, rate: float = RATE) -> Any:
        return arriving(self.world, rate)

    def rest(self, what: str, limit: float = WELL_AGAIN) -> None:
        """Nothing runs any more that is not well; every outcome is known; nothing is behind."""
        self.deployment.wait_ready()
        self.resolve()
        with beside(self.deployment) as opened:
            self.healings += settled(opened, what, limit)

    def take_standing(self) -> None:
        """What is open now is what may be open at the end."""
        self.rest("the warming up")
        self._standing = standing(self.deployment)

    def begin(self) -> None:
        """Once every API is there."""
        self.deployment.wait_ready()
        self.world.prepare()

    def resolve(self) -> None:
        """Ask for every outcome that is unknown, until all are known or time is up."""
        deadline = time.monotonic() + WELL_AGAIN
        while time.monotonic() < deadline:
            try:
                self.journal.resolve()
                return
            except Unknown:
                continue

    def judged(self, name: str) -> Outcome:
        """Take the evidence, write it beside the journal, and check it."""
        found = self.collecting(self) if self.collecting else self._collected()
        found.operations = self.journal.operations()
        found.healings, found.readings = self.healings, self.readings
        found.poison, self.evidence = self.poison, found
        found.bounds += self.bounds
        if self._standing is not None:
            found.bounds += bounds(self._standing, standing(self.deployment))
        records.save(found, self.deployment.folder)
        counts = {
            "operations": len(found.operations),
            "ok": len(self.journal.of("ok")),
            "refused": len(self.journal.of("refused")),
            "events": len(found.stored),
            "slowest_healing_seconds": _slowest(self.healings),
        }
        return Outcome(name, self.deployment.kills, check(found), {**counts, **self.figures})

    def _collected(self) -> Evidence:
        with beside(self.deployment) as opened:
            opened.wait_readable()
            return collected(opened, rebuilt=self.sources)


SERVERS: Final = ("kafka", "postgres")
BACKEND: Final = "one backend of postgres"


def _slowest(healings: Sequence[Healing]) -> float | None:
    times = [healing.seconds for healing in healings if healing.seconds is not None]
    return round(max(times), 2) if times else None


@contextmanager
def trial(
    place: Ground,
    name: str,
    seed: int,
    *,
    roles: Sequence[str] | None = None,
    contexts: Sequence[str] = CONTEXTS,
    more: Mapping[str, str] | None = None,
) -> Iterator[Trial]:
    """A deployment of a scenario's own, with a world to act on. The seed is in its folder."""
    namespace = name.replace("-", "_")
    chosen = {"CRM_VIEWS": ",".join(views_of(contexts)), **(more or {})}
    with deployed(place, namespace, roles or usual_roles(contexts), chosen) as deployment:
        (deployment.folder / "run.json").write_text(json.dumps({"scenario": name, "seed": seed}))
        journal = Journal(deployment.folder / HISTORY, deployment.door, deployment.by)
        world = World(journal, contexts, seed)
        ours = Trial(place, deployment, journal, world, seed, chance=Random(seed))
        try:
            if {f"{context}-api" for context in contexts} <= deployment.roles.keys():
                ours.begin()
            yield ours
        finally:
            journal.close()


def views_of(contexts: Sequence[str]) -> list[str]:
    """Those that live on what these contexts publish; without any topic a view waits for one."""
    needs = {"satisfaction": "ticketing", "retention": "pipeline"}
    return [name for name in VIEWS if needs.get(name, contexts[0]) in contexts]


def told(line: str) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
