"""What a seeded bug is, how it is put in, and what it takes to have caught it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, Final

from tests.faults.invariants import Verdict
from tests.faults.sim.runs import run

Verdicts = Mapping[str, Verdict]
Scenario = Callable[[], Verdicts]
RUNS: Final = 40


class DoesNotApply(Exception):
    """What the bug replaces is gone: the bug has to be written anew, or it would prove nothing."""


@dataclass(frozen=True, slots=True)
class Bug:
    """`switch` puts it in for as long as it is open.

    Where no `scenarios` are named, the runs of the simulation are tried until one shows it, first
    of all the one that is known to: `shows`.
    """

    name: str
    what: str
    invariant: str
    switch: Callable[[], AbstractContextManager[None]]
    shows: int = 0
    scenarios: tuple[Scenario, ...] = ()

    def tried(self) -> Iterator[tuple[int, Scenario]]:
        """Each with its number."""
        if self.scenarios:
            yield from enumerate(self.scenarios)
            return
        for seed in (self.shows, *(n for n in range(RUNS) if n != self.shows)):
            yield seed, partial(_simulated, seed)


@contextmanager
def replaced(owner: Any, name: str, make: Callable[[Any], Any]) -> Iterator[None]:
    """A function, method or statement of the product is another one meanwhile; `make` is given the
    real one. Raises DoesNotApply."""
    if name not in vars(owner):
        raise DoesNotApply(f"{owner.__name__} has no {name} any more")
    real = vars(owner)[name]
    setattr(owner, name, make(real))
    try:
        yield
    finally:
        setattr(owner, name, real)


def instead(owner: Any, name: str, make: Callable[[Any], Any]) -> Callable[[], Any]:
    """The switch of a bug that replaces one thing."""
    return lambda: replaced(owner, name, make)


def together(*switches: Callable[[], Any]) -> Callable[[], Any]:
    """The switch of a bug that one safeguard would make up for: the safeguard goes with it."""

    @contextmanager
    def switch() -> Iterator[None]:
        with ExitStack() as stack:
            for each in switches:
                stack.enter_context(each())
            yield

    return switch


def rewritten(owner: Any, name: str, old: str, new: str) -> Callable[[], Any]:
    """The switch of a bug that changes the words of an SQL statement."""

    def change(statement: str) -> str:
        if old not in statement:
            raise DoesNotApply(f"{name} of {owner.__name__} does not say {old!r} any more")
        return statement.replace(old, new)

    return instead(owner, name, change)


def _simulated(seed: int) -> Verdicts:
    return run(seed).verdicts


@cache
def _clean_run(seed: int) -> tuple[str, ...]:
    return _broken(run(seed).verdicts)


def _broken(verdicts: Verdicts) -> tuple[str, ...]:
    return tuple(name for name, verdict in verdicts.items() if verdict.violated)


@dataclass(frozen=True, slots=True)
class Catch:
    """In which scenario or run the invariant saw the bug, None where in none; and which
    invariants the same scenario breaks without the bug."""

    bug: str
    scenario: int | None
    without: tuple[str, ...]

    @property
    def caught(self) -> bool:
        return self.scenario is not None and not self.without


def catch(bug: Bug) -> Catch:
    """Try the bug until an invariant sees it, and that scenario once more without the bug."""
    for number, scenario in bug.tried():
        with bug.switch():
            seen = bug.invariant in _broken(scenario())
        if seen:
            without = _broken(scenario()) if bug.scenarios else _clean_run(number)
            return Catch(bug.name, number, without)
    return Catch(bug.name, None, ())


def caught(bug: Bug) -> bool:
    """Whether the harness sees it, and sees nothing where it is not. Raises DoesNotApply."""
    return catch(bug).caught
