"""One whole number gives the entire schedule: what is hurt, when, and for how long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random


@dataclass(frozen=True, slots=True)
class Strike:
    """`at` is seconds from the start, `lasts` how long the victim stays away (0: not at all)."""

    at: float
    victim: str
    lasts: float = 0.0

    def __str__(self) -> str:
        away = f", away for {self.lasts:.1f} s" if self.lasts else ""
        return f"{self.at:7.2f} s  {self.victim}{away}"


@dataclass(frozen=True, slots=True)
class Prey:
    """A victim, how often it is chosen, and the longest that it may stay away."""

    name: str
    weight: float = 1.0
    away: float = 0.0


def schedule(
    seed: int, prey: Sequence[Prey], count: int, mean: float, *, each_once: bool = True
) -> list[Strike]:
    """`count` strikes, `mean` seconds apart on average, as the moments of a Poisson process are.

    Every victim comes first once in a chosen order, where there are strikes enough.
    """
    chance = Random(seed)
    first = chance.sample(list(prey), len(prey)) if each_once else []
    weights = [each.weight for each in prey]
    at, strikes = 0.0, []
    for number in range(count):
        at += chance.expovariate(1.0 / mean)
        victim = first[number] if number < len(first) else chance.choices(list(prey), weights)[0]
        strikes.append(Strike(at, victim.name, chance.uniform(0.0, victim.away)))
    return strikes


def carried_out(
    strikes: Sequence[Strike], strike: Callable[[Strike], None], began: float | None = None
) -> Iterator[Strike]:
    """Each at its moment, or at once where the one before took longer."""
    started = time.monotonic() if began is None else began
    for each in strikes:
        _wait_until(started + each.at)
        strike(each)
        yield each


def _wait_until(moment: float) -> None:
    left = moment - time.monotonic()
    if left > 0:
        time.sleep(left)  # noqa: TID251 (a strike comes at its moment, whatever the state)
