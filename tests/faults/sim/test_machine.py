"""Whatever is ordered, killed, frozen, refused, repeated and wiped, in whatever order: once all is
healed, every invariant holds."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from tests.faults.sim.runs import STEPS, run
from tests.faults.sim.settling import judged
from tests.faults.sim.world import World, world

NUMBERS = st.integers(0, 63)
FAULTS = sorted(STEPS.keys() - {"order", "let"})
RUNS = 60


class Company(RuleBasedStateMachine):
    """The rules are the steps of `runs`; hypothesis looks for the shortest way to break something,
    and prints it."""

    world: World | None = None

    @initialize(seed=st.integers(0, 2**16))
    def open(self, seed: int) -> None:
        self.open_until = ExitStack()
        self.world = self.open_until.enter_context(world(seed))

    @precondition(lambda self: self.world is not None)
    @rule(which=NUMBERS, how=NUMBERS)
    def order(self, which: int, how: int) -> None:
        self._step("order", which, how)

    @precondition(lambda self: self.world is not None)
    @rule(which=NUMBERS)
    def let(self, which: int) -> None:
        self._step("let", which, 0)

    @precondition(lambda self: self.world is not None)
    @rule(name=st.sampled_from(FAULTS), which=NUMBERS)
    def breaks(self, name: str, which: int) -> None:
        self._step(name, which, 0)

    def _step(self, name: str, which: int, how: int) -> None:
        assert self.world is not None
        STEPS[name][0](self.world, which, how)
        self.world.look()

    def teardown(self) -> None:
        if self.world is None:
            return
        with self.open_until:
            verdicts = judged(self.world)
        wrong = {name: verdict.examples for name, verdict in verdicts.items() if verdict.violated}
        assert not wrong, wrong


Company.TestCase.settings = settings(
    max_examples=25,
    stateful_step_count=40,
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
TestCompany = Company.TestCase


@pytest.mark.parametrize("seed", range(RUNS))
def test_every_invariant_holds_after_a_run(seed: int) -> None:
    """Faults in the proportions of `runs.STEPS`; the number is the whole schedule."""
    told = run(seed)
    assert not told.violated, f"run({seed}) of tests.faults.sim.runs: {told.violated}"
    assert sum(verdict.checked for verdict in told.verdicts.values()) > 100


def test_same_number_tells_the_same_run() -> None:
    first, second = run(7), run(7)
    assert first.steps == second.steps
    counts = [{name: v.checked for name, v in told.verdicts.items()} for told in (first, second)]
    assert counts[0] == counts[1]
