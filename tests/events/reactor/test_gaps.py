"""What lies ahead of a missing event is passed over, and the reactions do not forget that."""

from __future__ import annotations

from dataclasses import replace

from crm_events.envelope import Envelope
from crm_events.feed.port import Lane, LaneBatch
from crm_events.partitions import partition_of
from crm_events.relay.publishing import link

from tests.events.reactor.conftest import Tiny
from tests.events.reactor.tiny import order
from tests.events.store.building import whole_log
from tests.events.writing import thing

SHOP = thing(1)
LANE = Lane("pipeline", partition_of(SHOP))


def told(tiny: Tiny, count: int) -> list[Envelope]:
    """Orders of one shop, each naming the one before it."""
    for number in range(count):
        tiny.upstream.tell(order(thing(100 + number)), of=SHOP)
    linked, _ = link(whole_log(tiny.upstream.recorder), {})
    return [replace(envelope, prevsequence=before) for envelope, before in linked]


def batch(envelopes: list[Envelope], next_offset: int, complete_to: int) -> LaneBatch:
    return LaneBatch(LANE, envelopes, next_offset, complete_to)


async def test_watermark_after_a_gap_moves_nothing(tiny: Tiny) -> None:
    first, _, third = told(tiny, 3)
    reactor = tiny.reactor()
    await reactor.take([batch([first], 1, 1)])
    await reactor.take([batch([third], 3, 1)])
    await reactor.take([batch([], 4, 3)])
    (position,) = tiny.positions().load([LANE]).values()
    assert (position.sequence, position.offset, position.complete_to) == (1, 1, 1)
    assert LANE in reactor.gaps


async def test_gap_is_closed_by_what_was_missing(tiny: Tiny) -> None:
    first, second, third = told(tiny, 3)
    reactor = tiny.reactor()
    await reactor.take([batch([first, third], 2, 1)])
    await reactor.take([batch([second, third], 4, 1)])
    await reactor.take([batch([], 5, 9)])
    (position,) = tiny.positions().load([LANE]).values()
    assert (position.sequence, position.offset, position.complete_to) == (3, 5, 9)
    assert not reactor.gaps
    assert tags(tiny) == 3


def tags(tiny: Tiny) -> int:
    return sum(len(found) for found in tiny.app.tags().values())
