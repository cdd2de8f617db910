"""What operators see of reactions: that a lane is held, and that it goes on."""

from __future__ import annotations

from crm_events.contracts.pipeline import OrderPlaced
from crm_events.feed.reactor import Reactor
from crm_service.reacting import ReactionSeries
from prometheus_client import CollectorRegistry

from tests.events.reactor.conftest import Tiny, running
from tests.events.reactor.tiny import order
from tests.events.store.building import append, event
from tests.events.writing import thing
from tests.support.until import until


def value(registry: CollectorRegistry, name: str) -> float | None:
    return registry.get_sample_value(f"crm_reactions_{name}", {"context": "contacts"})


async def test_held_lane_and_refusals_are_counted(tiny: Tiny) -> None:
    there: list[Reactor] = []
    registry = CollectorRegistry()
    registry.register(ReactionSeries("contacts", lambda: next(iter(there), None)))
    assert value(registry, "held_lanes") is None
    tiny.upstream.tell(order(thing(1), 1), of=thing(1))
    tiny.upstream.tell(order(thing(1), 101), of=thing(1))
    append(tiny.upstream.recorder, [event(thing(2), 1, b"{", type=OrderPlaced.TYPE)])
    there.append(tiny.reactor())
    async with running(there[0]):
        await until(lambda: value(registry, "held_lanes") == 1)
        await until(lambda: value(registry, "reacted_total") == 2)
    assert value(registry, "no_effect_total") == 1
    assert value(registry, "gap_lanes") == 0
