"""Rounds of two sides in turns, and the figures they leave."""

from __future__ import annotations

import os
import statistics
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

from tests.bench.ground import Ground

Measure = Callable[[], float]
"""Does one round's work and answers its figure in the benchmark's unit."""


class NotDone(Exception):
    """The work that was to be timed was not done, or not rightly: its figure means nothing."""


def nothing() -> None:
    """For rounds that need no preparation."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Both sides of a benchmark, ready to run; `before` prepares a round and is not timed."""

    ours: Measure
    baseline: Measure
    before: Callable[[], None] = nothing
    proof: Callable[[], str] = str
    """What was checked beside the timing, said when the rounds are over; empty where nothing."""
    turns: int = 1
    """How often each side works in a round. They begin in turns, so that neither gains where the
    machine grows slower or faster meanwhile."""


@dataclass(frozen=True, slots=True)
class Bars:
    """The ratios aimed at; for waiting times the lower ratio is the better one."""

    good: float
    ambitious: float
    lower_is_better: bool = False


@dataclass(frozen=True, slots=True)
class Bench:
    """One comparison. `open` sets both sides up and takes them down again."""

    id: str
    name: str
    unit: str
    open: Callable[[Ground], AbstractContextManager[Sides]]
    bars: Bars | None = None
    most_rounds: int | None = None
    """For what takes minutes: no more rounds than these, however many are asked for."""

    def rounds(self, asked: int) -> int:
        return asked if self.most_rounds is None else min(asked, self.most_rounds)


@dataclass(frozen=True, slots=True)
class Figures:
    """A benchmark's outcome: medians of both sides, and of the ratios of its rounds."""

    id: str
    name: str
    ours: float
    baseline: float
    unit: str
    ratio: float
    ratio_min: float
    ratio_max: float
    runs: int
    cores: int


def interleaved(
    sides: Sides, rounds: int, tell: Callable[[int, float, float], None]
) -> Sequence[tuple[float, float]]:
    """Baseline and ours in turns; answers (ours, baseline) of each round."""
    found = []
    for number in range(1, rounds + 1):
        sides.before()
        ours, baseline = _round(sides)
        tell(number, ours, baseline)
        found.append((ours, baseline))
    return found


def _round(sides: Sides) -> tuple[float, float]:
    """The mean of the turns of each side."""
    ours, baseline = list[float](), list[float]()
    order = [(baseline, sides.baseline), (ours, sides.ours)]
    for _ in range(sides.turns):
        for figures, measure in order:
            figures.append(measure())
        order.reverse()
    return statistics.fmean(ours), statistics.fmean(baseline)


def figures(bench: Bench, rounds: Sequence[tuple[float, float]]) -> Figures:
    """Raises NotDone where a side did nothing in some round."""
    if any(side <= 0 for pair in rounds for side in pair):
        raise NotDone("a side did nothing in one of its rounds")
    ratios = [ours / baseline for ours, baseline in rounds]
    return Figures(
        id=bench.id,
        name=bench.name,
        ours=_rounded(statistics.median(ours for ours, _ in rounds)),
        baseline=_rounded(statistics.median(baseline for _, baseline in rounds)),
        unit=bench.unit,
        ratio=_rounded(statistics.median(ratios)),
        ratio_min=_rounded(min(ratios)),
        ratio_max=_rounded(max(ratios)),
        runs=len(rounds),
        cores=cores(),
    )


def _rounded(value: float) -> float:
    """Three significant digits below 1000: more would be noise."""
    return float(f"{value:.3g}") if value < 1_000 else float(round(value))


def cores() -> int:
    """Those that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def chosen(benches: Sequence[Bench], only: Sequence[str]) -> list[Bench]:
    """Those named, by id or by its beginning (`R2` is R2-1 and R2-8); all where none is named.

    Raises LookupError for a name that nothing has.
    """
    for name in only:
        if not any(_is(bench, name) for bench in benches):
            ids = ", ".join(bench.id for bench in benches)
            raise LookupError(f"There is no benchmark {name!r}; choose among {ids}.")
    return [b for b in benches if not only or any(_is(b, name) for name in only)]


def _is(bench: Bench, name: str) -> bool:
    return bench.id == name or bench.id.startswith(f"{name}-")
