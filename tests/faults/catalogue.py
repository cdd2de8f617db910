"""Every scenario by its name, and what is not run here with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from tests.faults.ground import Ground
from tests.faults.namespaces import cannot_make
from tests.faults.scenarios import (
    clocks,
    crashes,
    cuts,
    disks,
    kills,
    lagging,
    links,
    outages,
    poison,
    restoring,
    rolling,
    starving,
    storms,
    tearing,
    topics,
    upgrading,
    zombies,
)
from tests.faults.trial import Outcome


class Run(Protocol):
    def __call__(self, place: Ground, seed: int, /, *, long: bool) -> Outcome: ...


@dataclass(frozen=True, slots=True)
class Scenario:
    """`short` says whether it belongs to the short form; `needs` answers why it cannot run here,
    None where it can."""

    name: str
    run: Run
    short: bool = False
    needs: Callable[[], str | None] = lambda: None


SCENARIOS: Final[Sequence[Scenario]] = (
    Scenario(kills.NAME, kills.run, short=True),
    Scenario(crashes.NAME, crashes.run),
    Scenario(outages.BROKER, outages.broker, short=True),
    Scenario(outages.DATABASE, outages.database),
    Scenario(cuts.NAME, cuts.run),
    Scenario(links.NAME, links.run, needs=cannot_make),
    Scenario(zombies.NAME, zombies.run),
    Scenario(topics.WIPED, topics.wiped),
    Scenario(topics.REFUSED, topics.refused),
    Scenario(topics.SHUFFLED, topics.shuffled),
    Scenario(poison.NAME, poison.run),
    Scenario(restoring.NAME, restoring.run),
    Scenario(rolling.NAME, rolling.run),
    Scenario(upgrading.NAME, upgrading.run),
    Scenario(storms.NAME, storms.run),
    Scenario(clocks.NAME, clocks.run, needs=clocks.cannot_skew),
    Scenario(lagging.NAME, lagging.run),
    Scenario(starving.MEMORY, starving.memory, needs=starving.cannot_cap),
    Scenario(starving.PROCESSOR, starving.processor, needs=starving.cannot_share),
    Scenario(disks.POSTGRES, disks.postgres, needs=disks.cannot_mount),
    Scenario(disks.KAFKA, disks.kafka, needs=disks.cannot_mount),
    Scenario(disks.SQLITE, disks.sqlite, needs=disks.cannot_mount),
    Scenario(tearing.NAME, tearing.run),
)
NEVER: Final[Mapping[str, str]] = {
    "crash during a snapshot": "aggregates have no snapshots yet",
    "torn writes of PostgreSQL and Kafka": "the kernel has to have dm-flakey",
}


class NoSuchScenario(LookupError):
    """The message names those that there are."""


def chosen(only: Sequence[str], *, long: bool) -> list[Scenario]:
    """Those that are named, else all of the form. Raises NoSuchScenario."""
    known = {scenario.name: scenario for scenario in SCENARIOS}
    unknown = sorted(set(only) - known.keys())
    if unknown:
        raise NoSuchScenario(f"no scenario {', '.join(unknown)}; there are: {', '.join(known)}")
    return [known[name] for name in only] or [s for s in SCENARIOS if long or s.short]
