"""A run told by one number: what is done and what breaks, when, and what came of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from tests.faults.invariants import Verdict
from tests.faults.sim.customers import Wish
from tests.faults.sim.settling import is_live, judged
from tests.faults.sim.shop import POISON, TOO_DEAR
from tests.faults.sim.world import PARTS, World, world
from tests.support.decisions import NOW

Step = Callable[[World, int, int], None]
"""One thing that happens, told by two small numbers."""
AMOUNTS: Final = (1, 2, 3, POISON, TOO_DEAR)
_EARLIER: Final = (0, 1, 3600, 86_400)


def order(world: World, which: int, how: int) -> None:
    """One account, or two in one command; effective now or earlier."""
    accounts = (which % 5,) if how % 3 else (which % 5, (which + 1) % 5)
    amount = AMOUNTS[min(how % 12, 4)] if how % 12 in {3, 4} else how % 3 + 1
    at = NOW + timedelta(seconds=world.loop.time()) - timedelta(seconds=_EARLIER[which % 4])
    world.customers.order(Wish(accounts, amount, at))


def send_again(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.customers.send(which)


def hang_up(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.customers.hang_up()


def let(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.loop.let((0.002, 0.01, 0.05, 0.2, 0.7)[which % 5])


def kill(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.kill(PARTS[which % len(PARTS)])


def freeze(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.freeze(PARTS[which % len(PARTS)])


def thaw(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.thaw()


def refuse(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.kafka.refusals = 1 + which % 3


def lose_acks(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.kafka.lost_acks = 1 + which % 3


def repeat(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.kafka.repeats = 1 + which % 3


def wipe(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.kafka.wipe("pipeline")


def take_down(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.kafka.down = not world.kafka.down


def jump(world: World, which: int, how: int) -> None:  # noqa: ARG001
    """The wall clock is set, forwards or back."""
    world.jump = timedelta(seconds=(which % 7 - 3) * 600)


def cut_database(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.database.fails_in = 1 + which % 4


def begin_rebuild(world: World, which: int, how: int) -> None:  # noqa: ARG001
    if is_live(world):
        world.begin_rebuild()


def kill_rebuilds(world: World, which: int, how: int) -> None:  # noqa: ARG001
    world.kill_rebuilds()


STEPS: Final[Mapping[str, tuple[Step, int]]] = {
    "order": (order, 40),
    "let": (let, 30),
    "send_again": (send_again, 6),
    "hang_up": (hang_up, 3),
    "kill": (kill, 12),
    "freeze": (freeze, 8),
    "thaw": (thaw, 6),
    "refuse": (refuse, 4),
    "lose_acks": (lose_acks, 4),
    "repeat": (repeat, 4),
    "wipe": (wipe, 2),
    "take_down": (take_down, 3),
    "jump": (jump, 3),
    "begin_rebuild": (begin_rebuild, 3),
    "cut_database": (cut_database, 4),
    "kill_rebuilds": (kill_rebuilds, 1),
}
"""Each with how often it comes, in proportion."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a run was told, step by step, and what came of it."""

    seed: int
    steps: tuple[tuple[str, int, int], ...]
    verdicts: Mapping[str, Verdict]

    @property
    def violated(self) -> dict[str, list[str]]:
        """Invariants that do not hold, with examples."""
        return {name: v.examples for name, v in self.verdicts.items() if v.violated}


def plan(seed: int, length: int = 60) -> tuple[tuple[str, int, int], ...]:
    chance = Random(seed)
    names = chance.choices(list(STEPS), [weight for _, weight in STEPS.values()], k=length)
    return tuple((name, chance.randrange(64), chance.randrange(64)) for name in names)


def run(seed: int, length: int = 60) -> Told:
    """Everything that number says."""
    steps = plan(seed, length)
    with world(seed) as made:
        for name, which, how in steps:
            STEPS[name][0](made, which, how)
            made.look()
        return Told(seed, steps, judged(made))
