"""Runs that are told step by step, for what chance meets too seldom."""

from __future__ import annotations

from tests.faults.bugs.bug import Verdicts
from tests.faults.sim.customers import Wish
from tests.faults.sim.settling import judged
from tests.faults.sim.world import World, world
from tests.support.decisions import NOW


def _order(made: World, number: int, seconds: float) -> None:
    made.customers.order(Wish((number,), 1, NOW))
    made.loop.let(seconds)


def wiped_under_a_reader() -> Verdicts:
    """A topic is filled again while its readers pause; what they have not read lies behind the
    offset at which they go on, and nothing else follows it in its partition."""
    with world(1) as made:
        made.loop.let(1.0)
        for _ in range(6):
            _order(made, 0, 0.2)
        for name in ("views-a", "views-b"):
            made.parts[name].frozen = True
        _order(made, 1, 0.5)
        made.kafka.wipe("pipeline")
        for _ in range(12):
            _order(made, 0, 0.3)
        return judged(made)


def wiped_under_a_dying_relay() -> Verdicts:
    """A topic is written to after it was wiped, by a relay that dies before it finds out."""
    with world(1) as made:
        made.loop.let(1.0)
        _order(made, 0, 0.5)
        _order(made, 0, 0.5)
        made.kafka.wipe("pipeline")
        _order(made, 0, 0.0)
        while not made.kafka.holds("pipeline"):
            made.loop.let(0.0005)
        made.kill("relay-a")
        made.kill("relay-b")
        made.loop.let(2.0)
        return judged(made, limit=20.0)


def refused_batch() -> Verdicts:
    """The broker refuses a batch, and takes what comes after it; again and again, as it may be one
    of marks or of watermarks."""
    with world(1) as made:
        made.loop.let(1.0)
        for _ in range(5):
            _order(made, 0, 0.5)
            made.kafka.refusals = 1
            _order(made, 0, 0.8)
        return judged(made, limit=20.0)


def orders_alone() -> Verdicts:
    """Nothing goes wrong, and all that is due has been done soon."""
    with world(1) as made:
        made.loop.let(1.0)
        _order(made, 0, 2.0)
        return judged(made, limit=4.0)
